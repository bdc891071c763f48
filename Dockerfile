# Builds the distribution, a minimal Java runtime, and an image with both.
#
#   docker build -t ecoflow-exporter .
#   docker build -t ecoflow-exporter-demo --target demo .     with a simulated cloud
#   docker build -t ecoflow-exporter-fleet --target fleet .   with Kafka's client, for the roles collect and serve
#
# The digests of base images are those of their multi-platform index: docker buildx imagetools inspect IMAGE:TAG
#
# The file does not depend on an architecture: `docker buildx build --platform linux/amd64,linux/arm64 .` builds both.
# Java bytecode is portable, so the stage "build" runs on the build platform. The runtime and the start-up archive are
# built for each architecture.

FROM --platform=$BUILDPLATFORM eclipse-temurin:21-jdk@sha256:3e3c176ffed168beb42c607be9bc1639b466cf00261a0fb04425562c9d0c5c2b AS build
# Further Maven arguments, such as -Drevision=1.2.3.
ARG MAVEN_ARGS=
WORKDIR /build
# An empty build downloads libraries and plugins to a separate layer, which changes only with these files. There are no
# documents yet, which exec-maven-plugin would convert.
COPY .mvn .mvn
COPY mvnw pom.xml ./
COPY src/main/dist src/main/dist
RUN touch CHANGELOG.md LICENSE README.md devices.json \
    && mkdir src/main/proto \
    && echo 'syntax = "proto3";' | tee src/main/proto/frame.proto > src/main/proto/nothing.proto \
    && ./mvnw -B -q package -Pdemo-image -DskipTests -Dspotless.check.skip=true -Dexec.skip \
    && rm -rf src/main/proto target
COPY CHANGELOG.md LICENSE README.md SECURITY.md devices.json ./
COPY docs/*.md docs/
COPY src src
RUN ./mvnw -B -q package -Pdemo-image -DskipTests -Dspotless.check.skip=true \
    && mkdir app \
    && tar xzf target/ecoflow-exporter-*.tar.gz -C app --strip-components=1 \
    # Libraries have a separate layer, which does not change with the sources.
    && mkdir libraries && mv app/lib libraries/ \
    && mv libraries/lib/fleet . \
    && mkdir app/lib && mv libraries/lib/ecoflow-exporter.jar app/lib/ \
    && mv target/ecoflow-exporter-tests.jar target/demo/

FROM eclipse-temurin:21-jdk@sha256:3e3c176ffed168beb42c607be9bc1639b466cf00261a0fb04425562c9d0c5c2b AS runtime
COPY src/main/dist/jlink.options ./
RUN jlink @jlink.options --output /jre \
    # The base of start-up archives, which jlink does not create.
    && /jre/bin/java -XX:+UseSerialGC -Xshare:dump > /dev/null

FROM debian:bookworm-slim@sha256:88200866dfff7ea7f5cbcb6ec7c8a701889efe6fe859fe64d6990e4b07ea4171 AS exporter
RUN echo "ecoflow:x:1000:1000:ecoflow-exporter:/home/ecoflow:/usr/sbin/nologin" >> /etc/passwd \
    && echo "ecoflow:x:1000:" >> /etc/group
WORKDIR /app
ENV JAVA_HOME=/app/jre
COPY --from=runtime /jre jre
COPY --from=build /build/libraries ./
COPY --from=build /build/app ./
# The start-up archive is valid only for this runtime and this path.
RUN bin/ecoflow-exporter train
# A numeric id, so that Kubernetes can verify that the user is not root. Root owns all files; they are read-only for the user.
USER 1000:1000
ENV EXPORTER_PORT=9090
EXPOSE 9090
STOPSIGNAL SIGTERM
# The check runs without a shell and uses the variables of the exporter.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["/app/jre/bin/java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xmx8m", "-cp", "/app/lib/ecoflow-exporter.jar", "ecoflow.HealthCheck"]
# Exec form: the launcher replaces its process with java, so that the exporter receives the stop signal of the container.
# ECOFLOW_JAVA_OPTS=-Xmx256m increases the heap limit.
ENTRYPOINT ["/app/bin/ecoflow-exporter"]
# Set by the build: --build-arg VERSION=... --build-arg REVISION=...
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ecoflow-exporter" \
      org.opencontainers.image.description="Prometheus exporter for EcoFlow power stations, batteries and solar devices" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"

# For users without an account: the exporter with the simulated cloud of the tests, which does not contain real data.
FROM exporter AS demo
COPY --from=build /build/target/demo lib/
ENTRYPOINT ["/app/jre/bin/java", "-XX:+UseSerialGC", "-Xmx128m", "-cp", "/app/lib/*", "ecoflow.cloud.Demo", "/app/lib/ecoflow-exporter.jar"]

# For ECOFLOW_ROLE=collect and ECOFLOW_ROLE=serve.
FROM exporter AS fleet
USER root
COPY --from=build /build/fleet lib/fleet
RUN ECOFLOW_ROLE=serve bin/ecoflow-exporter train
USER 1000:1000

# A build without --target builds the last stage.
FROM exporter
