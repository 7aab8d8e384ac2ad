import { type Detector, token } from "../kind.ts";

const vendor = (name: string, about: string, source: string, shapes: readonly string[]): Detector =>
  token(name, "vendorKeys", { about, source, shapes });

/** Keys of those who serve models, and of what is built around these. */
export const AI_KEYS: readonly Detector[] = [
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
];
