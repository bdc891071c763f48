# Builds the distribution, a Java runtime with what it needs alone, and of both the image.
#
#   docker build -t ecoflow-exporter .
#   docker build -t ecoflow-exporter-demo --target demo .     the same on a simulated cloud
#
# Base images have the digest of their multi-platform index; `docker buildx imagetools inspect IMAGE:TAG` prints it.
#
# Nothing here names an architecture: `docker buildx build --platform linux/amd64,linux/arm64 .` makes both. What the
# Java compiler makes fits all, so that stage runs where the build runs; runtime and start-up archive fit one.

FROM --platform=$BUILDPLATFORM eclipse-temurin:21-jdk@sha256:3e3c176ffed168beb42c607be9bc1639b466cf00261a0fb04425562c9d0c5c2b AS build
# Further arguments of Maven, such as -Drevision=1.2.3.
ARG MAVEN_ARGS=
WORKDIR /build
# First the libraries and plugins, by a build of nothing: as long as these files stay, changed sources fetch none anew.
COPY .mvn .mvn
COPY mvnw pom.xml ./
COPY src/main/dist src/main/dist
RUN touch CHANGELOG.md LICENSE README.md devices.json \
    && mkdir src/main/proto \
    && echo 'syntax = "proto3";' | tee src/main/proto/frame.proto > src/main/proto/nothing.proto \
    && ./mvnw -B -q package -Pdemo-image -DskipTests -Dspotless.check.skip=true \
    && rm -rf src/main/proto target
COPY CHANGELOG.md LICENSE README.md devices.json ./
COPY docs/*.md docs/
COPY src src
RUN ./mvnw -B -q package -Pdemo-image -DskipTests -Dspotless.check.skip=true \
    && mkdir app \
    && tar xzf target/ecoflow-exporter-*.tar.gz -C app --strip-components=1 \
    # The libraries apart from what changes with the sources, so that they keep their layer.
    && mkdir libraries && mv app/lib libraries/ \
    && mkdir app/lib && mv libraries/lib/ecoflow-exporter.jar app/lib/ \
    && mv target/ecoflow-exporter-tests.jar target/demo/

FROM eclipse-temurin:21-jdk@sha256:3e3c176ffed168beb42c607be9bc1639b466cf00261a0fb04425562c9d0c5c2b AS runtime
# What the exporter uses, and what components for routes of a user's own are known to use (java.desktop: Spring's
# beans, java.security.sasl: Kafka, java.net.http: registries of Micrometer); jdk.httpserver is the demo's.
RUN jlink --output /jre --strip-java-debug-attributes --no-man-pages --no-header-files --compress=2 --add-modules \
java.base,java.desktop,java.instrument,java.logging,java.management,java.naming,java.net.http,java.security.jgss,\
java.security.sasl,java.sql,jdk.crypto.ec,jdk.httpserver,jdk.management,jdk.net,jdk.unsupported,jdk.zipfs \
    # The archive that start-up archives stand on: jlink leaves it out.
    && /jre/bin/java -XX:+UseSerialGC -Xshare:dump > /dev/null

FROM debian:bookworm-slim@sha256:88200866dfff7ea7f5cbcb6ec7c8a701889efe6fe859fe64d6990e4b07ea4171 AS exporter
RUN echo "ecoflow:x:1000:1000:ecoflow-exporter:/home/ecoflow:/usr/sbin/nologin" >> /etc/passwd \
    && echo "ecoflow:x:1000:" >> /etc/group
WORKDIR /app
ENV JAVA_HOME=/app/jre
COPY --from=runtime /jre jre
COPY --from=build /build/libraries ./
COPY --from=build /build/app ./
# The start-up archive fits the runtime and the place where it is made: these.
RUN bin/ecoflow-exporter train
# A number, so that Kubernetes sees that it is not root. All that is here is root's, and only to be read.
USER 1000:1000
ENV EXPORTER_PORT=9090
EXPOSE 9090
STOPSIGNAL SIGTERM
# Without a shell, and by the exporter's own variables.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["/app/jre/bin/java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xmx8m", "-cp", "/app/lib/ecoflow-exporter.jar", "ecoflow.HealthCheck"]
# exec form, and the launcher hands its process over to java: the signal that stops the container reaches the exporter.
# ECOFLOW_JAVA_OPTS=-Xmx256m gives it more memory.
ENTRYPOINT ["/app/bin/ecoflow-exporter"]
# Of the build, which knows them: --build-arg VERSION=... --build-arg REVISION=...
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ecoflow-exporter" \
      org.opencontainers.image.description="Prometheus exporter for EcoFlow power stations, batteries and solar devices" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"

# For whoever has no account: the exporter on the simulated cloud of its tests, which has no data of anybody.
FROM exporter AS demo
COPY --from=build /build/target/demo lib/
ENTRYPOINT ["/app/jre/bin/java", "-XX:+UseSerialGC", "-Xmx128m", "-cp", "/app/lib/*", "ecoflow.cloud.Demo", "/app/lib/ecoflow-exporter.jar"]

# The last stage is what a build without --target makes.
FROM exporter
