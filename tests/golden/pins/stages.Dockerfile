# syntax=docker/dockerfile:1
# escape=\
# FROM registry.example.com/team/base-cpu:latest would be a comment
ARG REGISTRY=registry.example.com/team OTHER="x y"
ARG BASE_VERSION='v1.0.1'
ARG WHOLE="registry.example.com/team/base-cpu:v1.0.1"
ARG GIVEN
ARG EMPTY=""
ARG NAME=cpu

FROM --platform=$BUILDPLATFORM ${REGISTRY}/base-cpu:${BASE_VERSION} AS Build
from build as again
FROM $WHOLE
FROM "registry.example.com/team/base-cpu:latest"   AS quoted
FROM \
  # a comment inside
	 --platform=linux/amd64 \

  registry.example.com/team/base-${NAME}:${GIVEN} \
  AS continued
FROM registry.example.com/team/base-\
cpu:v1@sha256:33 as split
FROM ${REGISTRY}/base-cpu:${EMPTY} AS empty
FROM registry.example.com/team/base-cpu:${UNUSED:-v2}
FROM registry.example.com/team/base-cpu as bare
FROM registry.example.com:443/team/base-cpu:not-ours
FROM scratch
COPY --chown=1:1 --from=registry.example.com/team/base-cpu:v1 /a /b
COPY --from=BUILD /a /b
RUN --mount=type=cache,target=/x --mount=type=bind,from=registry.example.com/team/base-cpu:v3,source=/a,target=/b \
    echo registry.example.com/team/base-cpu:latest
RUN <<EOF
FROM registry.example.com/team/base-cpu:latest
EOF
RUN <<-"ONE" cat > /a && cat <<'TWO' \
  > /b
FROM registry.example.com/team/base-cpu:one
		ONE
	TWO
COPY --from=registry.example.com/team/base-cpu:two /a /b
TWO
RUN echo "<<EOF" '<<EOF' a<<EOF
ONBUILD COPY --from=registry.example.com/team/base-cpu:v4 /a /b
FROM registry.example.com/team/base-cpu:end