import { byteSet } from "../byte-set.ts";
import { type Detector, type TokenOptions, token } from "../kind.ts";

const cloud = (
  name: string,
  about: string,
  source: string,
  shapes: readonly string[],
  more: Partial<TokenOptions> = {},
): Detector => token(name, "cloudKeys", { about, source, shapes, ...more });

const AWS = "docs.aws.amazon.com: IAM identifiers, unique ID prefixes";
const AZURE = "learn.microsoft.com: Purview sensitive information types";

/** Keys of clouds, by the prefixes and marks that these publish. */
export const CLOUD_KEYS: readonly Detector[] = [
  cloud("aws-access-key-id", "AWS access key id", AWS, [
    "AKIA[A-Z2-7]{16}",
    "ASIA[A-Z2-7]{16}",
    "ABIA[A-Z2-7]{16}",
    "ACCA[A-Z2-7]{16}",
  ]),
  cloud("aws-bedrock-key", "AWS Bedrock API key", "docs.aws.amazon.com: Bedrock API keys", [
    "ABSK[A-Za-z0-9+/]{100,300}=*",
    "bedrock-api-key-[A-Za-z0-9+/]{32,512}=*",
  ]),
  cloud("gcp-api-key", "Google API key", "cloud.google.com: API keys", ["AIza[A-Za-z0-9_-]{35}"]),
  cloud(
    "gcp-oauth-token",
    "Google OAuth access token",
    "developers.google.com: OAuth 2.0",
    ["ya29.[A-Za-z0-9_-]{20,512}"],
    {
      tail: { set: byteSet("A-Za-z0-9_-"), until: "", bytesMax: 4096 },
    },
  ),
  cloud("gcp-oauth-secret", "Google OAuth client secret", "developers.google.com: OAuth 2.0", [
    "GOCSPX-[A-Za-z0-9_-]{28}",
  ]),
  cloud(
    "gcp-refresh-token",
    "Google OAuth refresh token",
    "developers.google.com: OAuth 2.0",
    ["1//0[A-Za-z0-9_-]{40,200}"],
    {
      scores: { shape: 40, word: 30 },
      words: ["refresh", "token", "secret", "oauth"],
    },
  ),
  cloud(
    "azure-storage-key",
    "Azure storage account key",
    AZURE,
    ["AccountKey=[A-Za-z0-9+/]{86}==", "[A-Za-z0-9+/]{76}~~+ASt[A-Za-z0-9+/]{6}=="],
    { isOpen: true },
  ),
  cloud(
    "azure-shared-access-key",
    "Azure Service Bus, Event Hubs or IoT key",
    AZURE,
    ["SharedAccessKey=[A-Za-z0-9+/]{43}="],
    { isOpen: true },
  ),
  cloud(
    "azure-client-secret",
    "Azure (Entra) client secret",
    AZURE,
    ["[A-Za-z0-9_.~-]{3}~~7Q~[A-Za-z0-9_.~-]{31,34}", "[A-Za-z0-9_.~-]{3}~~8Q~[A-Za-z0-9_.~-]{31,34}"],
    { isOpen: true },
  ),
  cloud("azure-devops-token", "Azure DevOps token", AZURE, ["[A-Za-z0-9]{76}~~AZDO[A-Za-z0-9]{4}"]),
  cloud(
    "azure-sas",
    "Azure shared access signature",
    "learn.microsoft.com: service SAS",
    ["sig=[A-Za-z0-9%+/]{43,80}=?"],
    {
      scores: { shape: 40, word: 30 },
      words: ["sv", "se", "sp", "sr", "sas", "blob", "queue"],
    },
  ),
  cloud("azure-function-key", "Azure Functions key", AZURE, ["[A-Za-z0-9_-]{44}~~AzFu[A-Za-z0-9_-]{6}=="], {
    isOpen: true,
  }),
  cloud("azure-search-key", "Azure AI Search key", AZURE, ["[A-Za-z0-9]{42}~~AzSe[A-Za-z0-9]{6}"]),
  cloud("digitalocean-token", "DigitalOcean token", "docs.digitalocean.com: API tokens", ["do[opr]_v1_[0-9a-f]{64}"]),
  cloud(
    "alibaba-access-key",
    "Alibaba Cloud access key id",
    "alibabacloud.com/help: AccessKey pair",
    ["LTAI[A-Za-z0-9]{12,26}"],
    {
      scores: { shape: 40, word: 30 },
      words: ["key", "access", "secret", "id", "alibaba", "aliyun"],
    },
  ),
  cloud("tencent-secret-id", "Tencent Cloud secret id", "cloud.tencent.com: CAM keys", ["AKID[A-Za-z0-9]{32}"]),
  cloud("heroku-key", "Heroku API key", "devcenter.heroku.com: authentication", ["HRKU-AA[A-Za-z0-9_-]{58}"]),
  cloud("fly-token", "Fly.io token", "fly.io/docs: access tokens", [
    "fm[12][ra]?_[A-Za-z0-9+/=,_-]{80,512}",
    "fo1_[A-Za-z0-9_-]{43}",
  ]),
  cloud(
    "aws-session-token",
    "AWS session token",
    "docs.aws.amazon.com: STS",
    ["IQoJb3JpZ2luX2Vj[A-Za-z0-9+/%]{100,512}=*"],
    {
      tail: { set: byteSet("A-Za-z0-9+/%="), until: "", bytesMax: 4096 },
    },
  ),
  cloud(
    "azure-cosmos-key",
    "Azure Cosmos DB or Communication Services key",
    AZURE,
    ["[A-Za-z0-9+/]{76}~~ACDb[A-Za-z0-9+/]{6}==", "accesskey=[A-Za-z0-9+/]{86}=="],
    { isOpen: true },
  ),
  cloud("azure-ai-key", "Azure OpenAI or AI services key", AZURE, ["[A-Za-z0-9]{52}~~JQQJ9[A-Za-z0-9]{27}"]),
  cloud("yandex-key", "Yandex Cloud API key or IAM token", "yandex.cloud/docs/iam", [
    "AQVN[A-Za-z0-9_-]{35,38}",
    "t1.[A-Za-z0-9_-]{20,200}.[A-Za-z0-9_-]{86}",
  ]),
];
