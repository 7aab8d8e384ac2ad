import { isCrcBase62, isCrcHex } from "../checksums.ts";
import { type Detector, type TokenOptions, token } from "../kind.ts";

const vendor = (
  name: string,
  about: string,
  source: string,
  shapes: readonly string[],
  more: Partial<TokenOptions> = {},
): Detector => token(name, "vendorKeys", { about, source, shapes, ...more });

/** Four characters of prefix, random ones, then six of the checksum. */
const CRC: Partial<TokenOptions> = {
  checksum: "CRC-32 of the random part in base 62, the last six characters",
  isChecked: (found) => isCrcBase62(found.slice(4, -6), found.slice(-6)),
  scores: { shape: 40, checksum: 40, word: 30 },
  words: ["token", "secret", "key", "auth", "authorization", "github", "npm"],
};

/** Prefixes that are short, or usual letters: a word has to stand near. */
const NEEDS_WORD: Partial<TokenOptions> = {
  scores: { shape: 40, word: 30 },
  words: ["key", "secret", "token", "api", "auth", "apikey", "password", "twilio", "mailgun", "mailchimp"],
};

/** Keys and tokens of services, by the prefixes that these publish. */
export const VENDOR_KEYS: readonly Detector[] = [
  vendor(
    "github-token",
    "GitHub token",
    "github.blog: Behind GitHub's new authentication token formats",
    ["gh[pousr]_[A-Za-z0-9]{36}"],
    CRC,
  ),
  vendor("github-fine-grained-token", "GitHub fine-grained token", "docs.github.com: token types", [
    "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
  ]),
  vendor("gitlab-token", "GitLab token", "docs.gitlab.com: token overview", [
    "glpat-[A-Za-z0-9_.-]{20,300}",
    "gl[dfr]t-[A-Za-z0-9_.-]{20,300}",
    "glptt-[A-Za-z0-9_-]{20,64}",
    "glcbt-[A-Za-z0-9_-]{20,64}",
    "glsoat-[A-Za-z0-9_-]{20,64}",
    "glimt-[A-Za-z0-9_-]{20,64}",
    "glagent-[A-Za-z0-9_-]{20,300}",
    "gloas-[A-Za-z0-9_-]{20,64}",
    "glffct-[A-Za-z0-9_-]{20,64}",
    "GR1348941[A-Za-z0-9_-]{20}",
  ]),
  vendor("npm-token", "npm access token", "docs.npmjs.com: access tokens", ["npm_[A-Za-z0-9]{36}"], CRC),
  vendor("pypi-token", "PyPI API token", "docs.pypi.org: API tokens", [
    "pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,512}",
    "pypi-AgENdGVzdC5weXBpLm9yZw[A-Za-z0-9_-]{50,512}",
  ]),
  vendor("rubygems-key", "RubyGems API key", "guides.rubygems.org: API key", ["rubygems_[0-9a-f]{48}"]),
  vendor("docker-token", "Docker Hub access token", "docs.docker.com: access tokens", [
    "dckr_[op]at_[A-Za-z0-9_-]{27,32}",
  ]),
  vendor("slack-token", "Slack token", "api.slack.com: token types", [
    "xox[abeoprs]-[A-Za-z0-9-]{20,250}",
    "xoxe.xox[bp]-[A-Za-z0-9-]{20,250}",
    "xapp-\\d-[A-Za-z0-9-]{20,250}",
  ]),
  vendor("slack-webhook", "Slack webhook address", "api.slack.com: incoming webhooks", [
    "hooks.slack.com/services/T[A-Z0-9]{6,14}/B[A-Z0-9]{6,14}/[A-Za-z0-9]{20,32}",
    "hooks.slack.com/workflows/T[A-Z0-9]{6,14}/A[A-Z0-9]{6,14}/\\d{17,20}/[A-Za-z0-9]{20,32}",
    "hooks.slack.com/triggers/T[A-Z0-9]{6,14}/\\d{10,14}/[0-9a-f]{32}",
  ]),
  vendor("discord-webhook", "Discord webhook address", "discord.com/developers: webhook", [
    "discord.com/api/webhooks/\\d{17,20}/[A-Za-z0-9_-]{60,72}",
    "discordapp.com/api/webhooks/\\d{17,20}/[A-Za-z0-9_-]{60,72}",
  ]),
  vendor("telegram-token", "Telegram bot token", "core.telegram.org: bots", ["\\d{8,10}~~:AA[A-Za-z0-9_-]{33}"]),
  vendor("stripe-key", "Stripe secret or restricted key", "docs.stripe.com: API keys", [
    "sk_live_[A-Za-z0-9]{16,128}",
    "sk_test_[A-Za-z0-9]{16,128}",
    "rk_live_[A-Za-z0-9]{16,128}",
    "rk_test_[A-Za-z0-9]{16,128}",
  ]),
  vendor("stripe-webhook-secret", "Stripe webhook secret", "docs.stripe.com: webhooks", [
    "whsec_[A-Za-z0-9+/]{32,64}=?",
  ]),
  vendor("square-token", "Square access token or secret", "developer.squareup.com: access tokens", [
    "sq0atp-[A-Za-z0-9_-]{22}",
    "sq0csp-[A-Za-z0-9_-]{43}",
    "EAAAE[A-Za-z0-9_-]{59}",
  ]),
  vendor("shopify-token", "Shopify access token or secret", "shopify.dev: authentication", [
    "shpat_[0-9a-fA-F]{32}",
    "shpca_[0-9a-fA-F]{32}",
    "shppa_[0-9a-fA-F]{32}",
    "shpss_[0-9a-fA-F]{32}",
  ]),
  vendor("twilio-key", "Twilio API key", "twilio.com/docs: API keys", ["SK[0-9a-f]{32}"], NEEDS_WORD),
  vendor("sendgrid-key", "SendGrid API key", "docs.sendgrid.com: API keys", ["SG.[A-Za-z0-9_-]{22}.[A-Za-z0-9_-]{43}"]),
  vendor("mailgun-key", "Mailgun API key", "documentation.mailgun.com: API keys", ["key-[0-9a-f]{32}"], NEEDS_WORD),
  vendor("mailchimp-key", "Mailchimp API key", "mailchimp.com/developer: API keys", ["[0-9a-f]{32}~~-us\\d{1,2}"]),
  vendor("brevo-key", "Brevo API key", "developers.brevo.com: API keys", [
    "xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}",
    "xsmtpsib-[0-9a-f]{64}-[A-Za-z0-9]{16}",
  ]),
  vendor("databricks-token", "Databricks token", "docs.databricks.com: personal access tokens", [
    "dapi[0-9a-f]{32}-\\d",
    "dapi[0-9a-f]{32}",
  ]),
  vendor("vault-token", "HashiCorp Vault token", "developer.hashicorp.com: Vault tokens", [
    "hv[sbr].[A-Za-z0-9_-]{24,300}",
  ]),
  vendor("terraform-token", "Terraform Cloud token", "developer.hashicorp.com: Terraform API tokens", [
    "[A-Za-z0-9]{14}~~.atlasv1.[A-Za-z0-9_-]{60,72}",
  ]),
  vendor("atlassian-token", "Atlassian or Bitbucket token", "support.atlassian.com: API tokens", [
    "ATATT3[A-Za-z0-9_=-]{60,256}",
    "ATCTT3[A-Za-z0-9_=-]{60,256}",
    "ATBB[A-Za-z0-9]{32}",
  ]),
  vendor("doppler-token", "Doppler token", "docs.doppler.com: token formats", ["dp.[a-z]{2,8}.[A-Za-z0-9]{40,44}"]),
  vendor("linear-key", "Linear API key", "linear.app/developers", [
    "lin_api_[A-Za-z0-9]{40}",
    "lin_oauth_[0-9a-f]{64}",
  ]),
  vendor("notion-token", "Notion token", "developers.notion.com: authorization", [
    "ntn_[0-9]{11}[A-Za-z0-9]{35}",
    "secret_[A-Za-z0-9]{43}",
  ]),
  vendor("postman-key", "Postman API key", "learning.postman.com: API keys", ["PMAK-[0-9a-f]{24}-[0-9a-f]{34}"]),
  vendor("newrelic-key", "New Relic user, ingest or licence key", "docs.newrelic.com: API keys", [
    "NRAK-[A-Z0-9]{27}",
    "NRII-[A-Za-z0-9_-]{32}",
    "[0-9a-f]{36}~~NRAL",
  ]),
  vendor(
    "grafana-token",
    "Grafana service account token",
    "grafana.com/docs: service accounts",
    ["glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}"],
    {
      checksum: "CRC-32 of what stands before, the last eight characters",
      isChecked: (found) => isCrcHex(found.slice(0, -9), found.slice(-8)),
      scores: { shape: 60, checksum: 30 },
    },
  ),
  vendor("sentry-token", "Sentry token", "docs.sentry.io: auth tokens", [
    "sntrys_eyJ[A-Za-z0-9+/=_-]{60,400}",
    "sntryu_[0-9a-f]{64}",
  ]),
  vendor("figma-token", "Figma token", "figma.com/developers: access tokens", ["figd_[A-Za-z0-9_-]{38,46}"]),
  // Words such as `path` and `pattern` begin as it does.
  vendor(
    "airtable-token",
    "Airtable token",
    "airtable.com/developers: personal access tokens",
    ["pat[A-Za-z0-9]{14}.[0-9a-f]{64}"],
    { anchorBytes: 17 },
  ),
  vendor("supabase-token", "Supabase token", "supabase.com/docs: access tokens", [
    "sbp_[0-9a-f]{40}",
    "sb_secret_[A-Za-z0-9_-]{31}",
  ]),
  vendor("planetscale-token", "PlanetScale token or password", "planetscale.com/docs: service tokens", [
    "pscale_tkn_[A-Za-z0-9=_.-]{32,64}",
    "pscale_pw_[A-Za-z0-9=_.-]{32,64}",
    "pscale_oauth_[A-Za-z0-9=_.-]{32,64}",
  ]),
  vendor("dropbox-token", "Dropbox access token", "dropbox.com/developers: OAuth guide", [
    "sl.[A-Za-z0-9_-]{130,512}",
    "sl.u.[A-Za-z0-9_-]{130,512}",
  ]),
  vendor("circleci-token", "CircleCI token", "circleci.com/docs: API tokens", [
    "CCIP[AR]T_[A-Za-z0-9]{22}_[0-9a-f]{40}",
  ]),
  vendor("buildkite-token", "Buildkite API token", "buildkite.com/docs: API tokens", [
    "bkua_[0-9a-f]{40}",
    "bkct_[A-Za-z0-9]{40}",
  ]),
  vendor("posthog-key", "PostHog personal API key", "posthog.com/docs: API", ["phx_[A-Za-z0-9]{43,56}"]),
  vendor("dynatrace-token", "Dynatrace token", "docs.dynatrace.com: access tokens", [
    "dt0[cs]\\d\\d.[A-Z2-7]{8,24}.[A-Z2-7]{64}",
  ]),
  vendor("pulumi-token", "Pulumi access token", "pulumi.com/docs: access tokens", ["pul-[0-9a-f]{40}"]),
  vendor("tailscale-key", "Tailscale key", "tailscale.com/kb: key prefixes", [
    "tskey-[a-z]{3,9}-[A-Za-z0-9]{8,24}-[A-Za-z0-9]{20,64}",
  ]),
  vendor("netlify-token", "Netlify access token", "docs.netlify.com: access tokens", ["nf[a-z]_[A-Za-z0-9]{36,40}"]),
  vendor("nuget-key", "NuGet API key", "learn.microsoft.com: NuGet scoped API keys", ["oy2[a-z2-7]{43}"]),
  vendor("resend-key", "Resend API key", "resend.com/docs: API keys", ["re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}"]),
  vendor("braintree-token", "Braintree access token", "developer.paypal.com: Braintree", [
    "access_token$production$[a-z0-9]{16}$[0-9a-f]{32}",
  ]),
  vendor("razorpay-key", "Razorpay key id", "razorpay.com/docs: API keys", ["rzp_live_[A-Za-z0-9]{14}"]),
  vendor("flutterwave-key", "Flutterwave secret key", "developer.flutterwave.com: API keys", [
    "FLWSECK-[0-9a-f]{32}-X",
    "FLWSECK_TEST-[0-9a-f]{32}-X",
  ]),
  vendor("amazon-mws-token", "Amazon MWS auth token", "developer.amazonservices.com", [
    "amzn.mws.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
  ]),
  vendor("facebook-token", "Facebook access token", "developers.facebook.com: access tokens", [
    "EAACEdEose0cBA[A-Za-z0-9]{20,256}",
  ]),
  vendor("age-key", "age secret key", "age-encryption.org: format", [
    "AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
  ]),
  vendor("artifactory-token", "JFrog Artifactory token", "jfrog.com/help: access tokens", [
    "AKCp[A-Za-z0-9]{69}",
    "cmVmdGtu[A-Za-z0-9]{56}",
  ]),
  vendor("clojars-token", "Clojars deploy token", "clojars.org: deploy tokens", ["CLOJARS_[a-z0-9]{60}"]),
  vendor("teams-webhook", "Microsoft Teams webhook address", "learn.microsoft.com: incoming webhooks", [
    "webhook.office.com/webhookb2/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}@[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/IncomingWebhook/[0-9a-f]{32}",
  ]),
  vendor("plaid-token", "Plaid access token", "plaid.com/docs", [
    "access-production-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "access-sandbox-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
  ]),
  vendor("easypost-key", "EasyPost API key", "docs.easypost.com: authentication", ["EZ[AT]K[A-Za-z0-9]{54}"]),
  vendor("shippo-token", "Shippo API token", "docs.goshippo.com: authentication", [
    "shippo_live_[0-9a-f]{40}",
    "shippo_test_[0-9a-f]{40}",
  ]),
  vendor("duffel-token", "Duffel API token", "duffel.com/docs", [
    "duffel_live_[A-Za-z0-9_-]{43}",
    "duffel_test_[A-Za-z0-9_-]{43}",
  ]),
  vendor("mailersend-token", "MailerSend token", "developers.mailersend.com", ["mlsn.[0-9a-f]{64}"]),
  vendor("1password-token", "1Password service account token or secret key", "developer.1password.com", [
    "ops_eyJ[A-Za-z0-9+/]{200,512}=*",
    "A3-[A-Z0-9]{6}-[A-Z0-9]{6,11}-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}",
  ]),
  vendor("contentful-token", "Contentful personal access token", "contentful.com/developers", [
    "CFPAT-[A-Za-z0-9_-]{43}",
  ]),
  vendor("hubspot-token", "HubSpot private app token", "developers.hubspot.com: private apps", [
    "pat-[a-z]{2}\\d-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
  ]),
  vendor("trello-token", "Trello token", "developer.atlassian.com: Trello REST API", ["ATTA[0-9a-f]{64}"]),
  vendor("clickup-token", "ClickUp API token", "developer.clickup.com", ["pk_\\d{6,9}_[A-Z0-9]{32}"]),
  vendor("cal-key", "Cal.com API key", "cal.com/docs", ["cal_live_[0-9a-f]{32}"]),
  vendor("salesforce-session", "Salesforce session or access token", "developer.salesforce.com: session IDs", [
    "00D[A-Za-z0-9]{12}~~![A-Za-z0-9_.]{80,120}",
  ]),
  vendor("grafana-cloud-token", "Grafana Cloud token or old API key", "grafana.com/docs", [
    "glc_eyJ[A-Za-z0-9+/]{32,400}=*",
    "eyJrIjoi[A-Za-z0-9]{70,400}=*",
  ]),
  vendor("sonar-token", "SonarQube token", "docs.sonarsource.com: tokens", ["sq[pua]_[0-9a-f]{40}"]),
  vendor("harness-token", "Harness token", "developer.harness.io: API keys", [
    "[ps]at.[A-Za-z0-9_-]{22}.[0-9a-f]{24}.[A-Za-z0-9]{20}",
  ]),
  vendor("vercel-token", "Vercel Blob token", "vercel.com/docs", ["vercel_blob_rw_[A-Za-z0-9]{16}_[A-Za-z0-9]{30}"]),
  vendor("cloudflare-origin-key", "Cloudflare origin CA key", "developers.cloudflare.com: Origin CA keys", [
    "v1.0-[0-9a-f]{24}-[0-9a-f]{146}",
  ]),
  vendor("akamai-key", "Akamai EdgeGrid token", "techdocs.akamai.com: authentication", [
    "ak[ab][ab]-[a-z0-9]{16}-[a-z0-9]{16}",
  ]),
  vendor("neon-key", "Neon API key", "neon.com/docs: API keys", ["napi_[a-z0-9]{64}"]),
  vendor("mongodb-atlas-secret", "MongoDB Atlas service account secret", "mongodb.com/docs/atlas", [
    "mdb_sa_sk_[A-Za-z0-9_-]{40}",
  ]),
  vendor("prefect-key", "Prefect API key", "docs.prefect.io", ["pnu_[A-Za-z0-9]{36}"]),
  vendor("dbt-token", "dbt Cloud token", "docs.getdbt.com: tokens", ["dbt[uc]_[A-Za-z0-9_-]{40}"]),
  vendor("mapbox-secret", "Mapbox secret token", "docs.mapbox.com: access tokens", [
    "sk.eyJ1Ijoi[A-Za-z0-9_-]{20,200}.[A-Za-z0-9_-]{22}",
  ]),
  vendor("maxmind-key", "MaxMind licence key", "dev.maxmind.com", ["[A-Za-z0-9]{6}_[A-Za-z0-9]{29}~~_mmk"]),
  vendor("okta-token", "Okta API token", "developer.okta.com: SSWS", ["SSWS [A-Za-z0-9_-]{42}"]),
  vendor("adafruit-key", "Adafruit IO key", "io.adafruit.com/api", ["aio_[A-Za-z0-9]{28}"]),
  vendor("frameio-token", "Frame.io token", "developer.frame.io", ["fio-u-[A-Za-z0-9_=-]{64}"]),
  vendor("readme-key", "ReadMe API key", "docs.readme.com", ["rdme_[a-z0-9]{70}"]),
  vendor("wakatime-key", "WakaTime API key", "wakatime.com/developers", [
    "waka_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
  ]),
  vendor("polar-token", "Polar access token", "docs.polar.sh", ["polar_oat_[A-Za-z0-9]{43}"]),
  vendor("deno-token", "Deno Deploy token", "docs.deno.com", ["dd[op]_[A-Za-z0-9]{36}"]),
  vendor("aiven-password", "Aiven service password", "aiven.io/docs", ["AVNS_[A-Za-z0-9_-]{19}"]),
  vendor("octopus-key", "Octopus Deploy API key", "octopus.com/docs", ["API-[A-Z0-9]{26}"]),
  vendor("bitcoin-extended-key", "Extended private key of a wallet", "BIP 32", ["xprv[1-9A-HJ-NP-Za-km-z]{107}"]),
];
