# pktvisord and pktvisor. The agent is the entry point:
#
#   docker build -t pktvisor .
#   docker run --rm -v "$PWD":/captures:ro pktvisor /captures/trace.pcap
#   docker run --rm --network host --cap-add BPF --cap-add PERFMON --cap-add NET_ADMIN --cap-add NET_RAW pktvisor eth0
#   docker run --rm -v "$PWD":/captures:ro -p 127.0.0.1:10853:10853 pktvisor -l 0.0.0.0 --serve /captures/trace.pcap
#   docker run --rm -it --network host --entrypoint pktvisor pktvisor
#
# The build takes minutes. With programs that `cargo xtask dist` has built on Debian 12, or on a system that is not newer:
#
#   docker build -t pktvisor --build-arg PROGRAMS=given -f Dockerfile target/dist
#
# Both need BuildKit, which every engine has since 18.09 (`DOCKER_BUILDKIT=1` before 23.0).

# Where the programs come from: the stage `source` or the stage `given`.
ARG PROGRAMS=source

# Builds them. The system packages are listed once, in xtask. Cargo's caches stay out of the image's layers.
FROM rust:1.95-slim-bookworm AS source
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    apt-get update \
    && cargo xtask setup --for build \
    && cargo xtask build-ebpf \
    && cargo xtask dist --require-pgo \
    && install -D --target-directory=/programs target/dist/pktvisord target/dist/pktvisor

# Takes them from the build context.
FROM scratch AS given
COPY pktvisord pktvisor /programs/

FROM ${PROGRAMS} AS programs

# Collects what the programs need below /image: the libraries that they load, and the certificates of the authorities that they
# trust. Of each package that these files are from it keeps the licence, and the entry that scanners for vulnerabilities look for.
FROM debian:bookworm-slim AS system
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libcap2-bin libelf1 libpcap0.8 zlib1g
COPY --from=programs /programs/ /image/usr/local/bin/
RUN set -eu; \
    ldd /image/usr/local/bin/* > /linked 2>&1; \
    if grep 'not found' /linked; then exit 1; fi; \
    grep -o '/[^ ]*\.so[^ ]*' /linked | sort -u > /libraries; \
    xargs -a /libraries cp --parents --dereference --target-directory=/image /etc/ssl/certs/ca-certificates.crt; \
    { echo ca-certificates; sed 's,.*/,*/,' /libraries | xargs dpkg-query --search | cut -d : -f 1; } | sort -u > /packages; \
    mkdir -p /image/var/lib/dpkg/status.d; \
    while read -r package; do \
        dpkg-query --status "$package" > "/image/var/lib/dpkg/status.d/$package"; \
        cp --parents --dereference --target-directory=/image "/usr/share/doc/$package/copyright"; \
    done < /packages; \
    cp --parents --target-directory=/image /etc/debian_version /etc/nsswitch.conf; \
    cp --dereference /etc/os-release /image/etc/; \
    echo 'pktvisor:x:999:999::/nonexistent:/usr/sbin/nologin' > /image/etc/passwd; \
    echo 'pktvisor:x:999:' > /image/etc/group
# Reading capture files takes no privilege; live capture takes what the container was given. Permitted only, as the kernel
# would otherwise refuse to run the agent where the container was not given all of them; the agent raises what it needs.
RUN setcap cap_bpf,cap_net_admin,cap_net_raw,cap_perfmon=p /image/usr/local/bin/pktvisord

# Nothing else: no shell, no package manager.
FROM scratch
COPY --from=system /image/ /
ENV PATH=/usr/local/bin
USER 999:999
EXPOSE 10853
ENTRYPOINT ["pktvisord"]
