# Builds the jar with the Maven wrapper, then keeps only a Java runtime and the jar.
FROM eclipse-temurin:21-jdk AS build
WORKDIR /build
COPY .mvn .mvn
COPY mvnw pom.xml spotbugs-exclude.xml devices.json ./
COPY src src
RUN ./mvnw -B -q package -DskipTests -Dspotless.check.skip=true

FROM eclipse-temurin:21-jre
RUN apt-get update \
    && apt-get install -y --no-install-recommends curl \
    && rm -rf /var/lib/apt/lists/* \
    # Newer base images carry a user with id 1000 of their own.
    && (userdel --remove ubuntu 2>/dev/null || true) \
    && useradd --uid 1000 --create-home --shell /usr/sbin/nologin ecoflow
WORKDIR /app
COPY --from=build /build/target/ecoflow-exporter.jar /build/devices.json ./
USER ecoflow
ENV EXPORTER_PORT=9090
EXPOSE 9090
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD curl -fsS -o /dev/null "http://localhost:${EXPORTER_PORT:-9090}/metrics" || exit 1
# exec form: the signal that stops the container reaches the exporter itself.
# The JVM ends with exit code 3 when it is out of memory, before any library can catch the error.
ENTRYPOINT ["java", "-XX:MaxRAMPercentage=75", "-XX:+ExitOnOutOfMemoryError", "-jar", "/app/ecoflow-exporter.jar"]
