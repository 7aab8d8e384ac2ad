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
  vendor("openai-key", "OpenAI API key", "platform.openai.com: API keys", [
    "sk-proj-[A-Za-z0-9_-]{40,256}",
    "sk-svcacct-[A-Za-z0-9_-]{40,256}",
    "sk-admin-[A-Za-z0-9_-]{40,256}",
    "sk-None-[A-Za-z0-9_-]{40,256}",
    "sk-[A-Za-z0-9]{20}~~T3BlbkFJ[A-Za-z0-9]{20}",
  ]),
  vendor("openrouter-key", "OpenRouter API key", "openrouter.ai/docs: authentication", ["sk-or-v1-[0-9a-f]{64}"]),
  vendor("groq-key", "Groq API key", "console.groq.com/docs: API keys", ["gsk_[A-Za-z0-9]{52}"]),
  vendor("xai-key", "xAI API key", "docs.x.ai: API keys", ["xai-[A-Za-z0-9]{80}"]),
  vendor("perplexity-key", "Perplexity API key", "docs.perplexity.ai: API keys", ["pplx-[A-Za-z0-9]{48}"]),
  vendor("replicate-token", "Replicate API token", "replicate.com/docs: API tokens", ["r8_[A-Za-z0-9]{37}"]),
  vendor("anthropic-key", "Anthropic API key", "docs.anthropic.com: API keys", [
    "sk-ant-[a-z]{3,6}\\d\\d-[A-Za-z0-9_-]{80,128}",
  ]),
  vendor("huggingface-token", "Hugging Face token", "huggingface.co/docs: user access tokens", ["hf_[A-Za-z]{34}"]),
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
];
