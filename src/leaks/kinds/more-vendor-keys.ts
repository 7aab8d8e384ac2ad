import { type Detector, token } from "../kind.ts";

const vendor = (name: string, about: string, source: string, shapes: readonly string[]): Detector =>
  token(name, "vendorKeys", { about, source, shapes });

/** Further ones, by published prefixes alone. */
export const MORE_VENDOR_KEYS: readonly Detector[] = [
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
  vendor("nvidia-key", "NVIDIA API key", "docs.nvidia.com: NGC API keys", ["nvapi-[A-Za-z0-9_-]{64}"]),
  vendor("langsmith-key", "LangSmith API key", "docs.smith.langchain.com", ["lsv2_[ps][tk]_[0-9a-f]{32}_[0-9a-f]{10}"]),
  vendor("langfuse-key", "Langfuse secret key", "langfuse.com/docs", [
    "sk-lf-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
  ]),
  vendor("pinecone-key", "Pinecone API key", "docs.pinecone.io: API keys", ["pcsk_[A-Za-z0-9]{5,6}_[A-Za-z0-9]{63}"]),
  vendor("jina-key", "Jina API key", "jina.ai", ["jina_[A-Za-z0-9_-]{60}"]),
  vendor("tavily-key", "Tavily API key", "docs.tavily.com", ["tvly-[A-Za-z0-9-]{32,40}"]),
  vendor("deepseek-key", "DeepSeek or Stability AI key", "api-docs.deepseek.com; platform.stability.ai", [
    "sk-[A-Za-z0-9]{32,48}",
  ]),
  vendor("elevenlabs-key", "ElevenLabs API key", "elevenlabs.io/docs", ["sk_[0-9a-f]{48}"]),
  vendor("cerebras-key", "Cerebras API key", "inference-docs.cerebras.ai", ["csk-[a-z0-9]{48}"]),
  vendor("together-key", "Together AI key", "docs.together.ai", ["tgp_v1_[A-Za-z0-9_-]{43}"]),
  vendor("e2b-key", "E2B API key", "e2b.dev/docs", ["e2b_[0-9a-f]{40}"]),
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
