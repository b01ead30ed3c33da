# The steps are those of CI: scripts/deps.sh, scripts/ffmpeg.sh, make build.
#
#   docker build -t venuecast .
#   docker run -p 8080:8080 -v ./venuecast.yaml:/etc/venuecast/venuecast.yaml:ro -v venuecast:/var/lib/venuecast venuecast
#
# In the configuration set origin.listen to 0.0.0.0:8080: a container's loopback is its own.

FROM golang:1.26-trixie AS build
ENV XDG_CACHE_HOME=/cache GOTOOLCHAIN=local
WORKDIR /src

# FFmpeg takes longest and changes least: a layer of its own.
COPY scripts/deps.sh scripts/ffmpeg.sh scripts/progress.sh scripts/
RUN scripts/deps.sh build && scripts/ffmpeg.sh

COPY go.mod go.sum ./
RUN go mod download

ARG VERSION=docker
COPY . .
RUN make build version="$VERSION"

# FFmpeg is linked in; x264, x265 and the like are shared. The packages they are in have their version in the name,
# so the binary is asked.
RUN ldd bin/venuecast | awk '$3 ~ "^/" { print $3 }' | xargs -n 1 realpath | xargs dpkg-query -S \
  | cut -d : -f 1 | sort -u > /runtime-packages


FROM debian:trixie-slim
COPY --from=build /runtime-packages /tmp/runtime-packages
RUN apt-get update -qq \
  && xargs apt-get install -y -qq --no-install-recommends ca-certificates < /tmp/runtime-packages \
  && rm -rf /var/lib/apt/lists/* /tmp/runtime-packages \
  && useradd --system --uid 10001 --home-dir /var/lib/venuecast --create-home --shell /usr/sbin/nologin venuecast
COPY --from=build /src/bin/venuecast /usr/local/bin/venuecast
COPY --from=build /src/LICENSE /usr/share/doc/venuecast/LICENSE

USER venuecast
WORKDIR /var/lib/venuecast
VOLUME /var/lib/venuecast
EXPOSE 8080 9090

# The port of metrics.listen. The image has no HTTP client; bash opens the connection itself.
ENV HEALTH_PORT=9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$HEALTH_PORT && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q '^HTTP/1.[01] 200' <&3"]

ENTRYPOINT ["venuecast"]
CMD ["serve", "-c", "/etc/venuecast/venuecast.yaml"]
