# The tag follows the `node` package in package.json; test/packaging.test.ts holds it to that.
ARG NODE_VERSION=26.10.0

FROM node:${NODE_VERSION}-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY build.ts tsconfig.json ./
COPY src ./src
RUN npm run build

FROM node:${NODE_VERSION}-slim
LABEL org.opencontainers.image.title="postern" \
      org.opencontainers.image.description="A security sidecar for HTTP APIs: one light process, one policy file" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY --from=build /build/dist/ ./
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/compile-cache
# Fills the compile cache as root, so that the process that later reads it cannot write it; the root file system may be
# read-only. One run with the first policy of `init` loads what each later one will load, the watch a moment after the rest.
RUN heap="--max-semi-space-size=1 --single-threaded-gc --initial-old-space-size=64 --disallow-code-generation-from-strings" \
    && node $heap postern.js init /tmp/first \
    && { node $heap postern.js run --policy /tmp/first/policy.yaml > /tmp/first/log & } && pid=$! \
    && timeout 30 sh -c 'until grep -q "\"event\":\"ready\"" /tmp/first/log; do sleep 0.1; done' \
    && sleep 1 && kill -TERM $pid && wait $pid && rm -r /tmp/first && chmod -R a+rX compile-cache
# A number, so that Kubernetes' runAsNonRoot can tell that it is not root.
USER 65532:65532
EXPOSE 8443
STOPSIGNAL SIGTERM
# Where the policy sets another admin port, set this too.
ENV POSTERN_ADMIN_PORT=9901
# By bash: 2.6 ms of CPU each, where a start of Node takes 50.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$POSTERN_ADMIN_PORT && printf 'GET /readyz HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r -t 2 line <&3 && [[ $line == 'HTTP/1.1 200 '* ]]"]
# A small nursery stays in the processor's cache: a tenth less CPU on HTTP/2, and less memory. The thread that serves
# collects its garbage itself, a little at a time: others would take its core in turns of 4 ms, and requests would wait
# for 16 ms and more while a large policy loads. The old space counts as full from 64 MiB on: otherwise the buffers of a
# long body, which the nursery frees, set off a whole collection every 30 MiB, and those cost as much as carrying it. No
# text becomes code, whatever a dependency would like. The compile cache above holds only for the same flags.
ENTRYPOINT ["node", "--max-semi-space-size=1", "--single-threaded-gc", "--initial-old-space-size=64", "--disallow-code-generation-from-strings", "/app/postern.js"]
CMD ["run", "--policy", "/etc/postern/policy.yaml"]
