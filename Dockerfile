# pktvisord and pktvisor. The agent is the entry point:
#
#   docker build -t pktvisor .
#   docker run --rm -v "$PWD":/captures:ro pktvisor /captures/trace.pcap
#   docker run --rm --network host --cap-add BPF --cap-add PERFMON --cap-add NET_ADMIN pktvisor eth0
#   docker run --rm -v "$PWD":/captures:ro -p 127.0.0.1:10853:10853 pktvisor -l 0.0.0.0 --serve /captures/trace.pcap
#   docker run --rm -it --network host --entrypoint pktvisor pktvisor

FROM rust:1.95-slim-bookworm AS build
WORKDIR /source
# The system packages are listed once, in xtask. Cargo's caches stay out of the image's layers.
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    apt-get update \
    && cargo xtask setup --for build \
    && cargo xtask build-ebpf \
    && cargo xtask dist --require-pgo \
    && cp target/dist/pktvisord target/dist/pktvisor /usr/local/bin/ \
    && rm -rf /var/lib/apt/lists/*

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpcap0.8 libelf1 zlib1g libcap2-bin \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && useradd --system --uid 999 --no-create-home --shell /usr/sbin/nologin pktvisor
COPY --from=build /usr/local/bin/pktvisord /usr/local/bin/pktvisor /usr/local/bin/
# Reading capture files takes no privilege; live capture takes what the container was given. Permitted only, as the kernel
# would otherwise refuse to run the agent where the container was not given all of them; the agent raises what it needs.
RUN setcap cap_bpf,cap_net_admin,cap_net_raw,cap_perfmon=p /usr/local/bin/pktvisord
USER pktvisor
EXPOSE 10853
ENTRYPOINT ["pktvisord"]
