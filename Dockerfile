# Builds the distribution with the Maven wrapper, then keeps only a Java runtime and the distribution.
FROM eclipse-temurin:21-jdk AS build
# Further arguments of Maven, such as -Drevision=1.2.3.
ARG MAVEN_ARGS=
WORKDIR /build
COPY .mvn .mvn
COPY mvnw pom.xml spotbugs-exclude.xml devices.json LICENSE ./
COPY src src
RUN ./mvnw -B -q package -DskipTests -Dspotless.check.skip=true \
    && mkdir app \
    && tar xzf target/ecoflow-exporter-*.tar.gz -C app --strip-components=1

FROM eclipse-temurin:21-jre
RUN apt-get update \
    && apt-get install -y --no-install-recommends curl \
    && rm -rf /var/lib/apt/lists/* \
    # Newer base images carry a user with id 1000 of their own.
    && (userdel --remove ubuntu 2>/dev/null || true) \
    && useradd --uid 1000 --create-home --shell /usr/sbin/nologin ecoflow
WORKDIR /app
COPY --from=build /build/app ./
# The start-up archive fits the runtime and the place where it is made: these.
RUN bin/ecoflow-exporter train
USER ecoflow
ENV EXPORTER_PORT=9090
EXPOSE 9090
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD curl -fsS -o /dev/null "http://localhost:${EXPORTER_PORT:-9090}/metrics" || exit 1
# exec form, and the launcher hands its process over to java: the signal that stops the container reaches the exporter.
# ECOFLOW_JAVA_OPTS=-Xmx256m gives it more memory.
ENTRYPOINT ["/app/bin/ecoflow-exporter"]
# Of the build, which knows them: --build-arg VERSION=... --build-arg REVISION=...
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
