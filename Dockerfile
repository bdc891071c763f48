# Builds the distribution, a minimal Java runtime, and an image with both and the parts of Debian that they use. The image has
# no package manager and no shell.
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
    && mv app/lib/fleet . \
    && mv target/ecoflow-exporter-tests.jar target/demo/

FROM eclipse-temurin:21-jdk@sha256:3e3c176ffed168beb42c607be9bc1639b466cf00261a0fb04425562c9d0c5c2b AS runtime
COPY src/main/dist/jlink.options ./
RUN jlink @jlink.options --output /jre \
    # The base of start-up archives, which jlink does not create.
    && /jre/bin/java -XX:+UseSerialGC -Xshare:dump > /dev/null

FROM debian:bookworm-slim@sha256:88200866dfff7ea7f5cbcb6ec7c8a701889efe6fe859fe64d6990e4b07ea4171 AS assembled
WORKDIR /app
ENV JAVA_HOME=/app/jre
COPY --from=runtime /jre jre
COPY --from=build /build/app ./
# Documents are pages of the exporter, and native code for the other processor is not used.
RUN rm -rf docs CHANGELOG.md README.md \
    && find lib -name '*.so' ! -name "*_$(uname -m | sed s/aarch64/aarch_64/).so" -delete \
    # The start-up archive is valid only for this runtime and this path. The options of java replace the launcher, which is
    # a shell script.
    && bin/ecoflow-exporter train \
    && bin/ecoflow-exporter options > java.options
# The system of the image: env, and the libraries that it and Java use.
RUN mkdir -p /system/etc /system/tmp /system/usr/bin /system/usr/lib /system/usr/lib64 /system/usr/sbin \
    && chmod 1777 /system/tmp \
    && for name in bin lib lib64 sbin; do ln -s "usr/$name" "/system/$name"; done \
    && cp /usr/bin/env /system/usr/bin/ \
    && ldd /system/usr/bin/env jre/bin/java jre/lib/*.so jre/lib/server/*.so lib/META-INF/native/*.so 2> /dev/null \
       | sed -n -e 's|.* => \(/[^ ]*\) .*|\1|p' -e 's|^\t\(/[^ ]*\) .*|\1|p' | grep -v ^/app/ | sort -u \
       | while read -r library; do cp -L --parents "$library" /system/; done \
    && echo "root:x:0:0:root:/:/usr/sbin/nologin" > /system/etc/passwd \
    && echo "ecoflow:x:1000:1000:ecoflow-exporter:/home/ecoflow:/usr/sbin/nologin" >> /system/etc/passwd \
    && printf 'root:x:0:\necoflow:x:1000:\n' > /system/etc/group \
    && cp /etc/nsswitch.conf /etc/os-release /system/etc/ \
    # Libraries have a separate layer, which does not change with the sources.
    && mkdir -p /exporter/lib/components /exporter/lib/tools \
    && mv lib/ecoflow-exporter.jar /exporter/lib/ \
    && mv lib/tools/ecoflow-tools.jar /exporter/lib/tools/ \
    && mv LICENSE THIRD-PARTY.txt cache devices.json java.options /exporter/

FROM scratch AS exporter
WORKDIR /app
ENV JAVA_HOME=/app/jre PATH=/usr/bin LANG=C.UTF-8 MALLOC_ARENA_MAX=1
COPY --from=assembled /system /
COPY --from=assembled /app/jre jre
COPY --from=assembled /app/lib lib
COPY --from=assembled /exporter ./
# A numeric id, so that Kubernetes can verify that the user is not root. Root owns all files; they are read-only for the user.
USER 1000:1000
ENV EXPORTER_PORT=9090 ECOFLOW_LIB_DIR=/app/lib/components
EXPOSE 9090
STOPSIGNAL SIGTERM
# The check runs without a shell and uses the variables of the exporter.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["/app/jre/bin/java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xmx8m", "-cp", "/app/lib/ecoflow-exporter.jar", "ecoflow.HealthCheck"]
# The first env inserts the options of the user, such as ECOFLOW_JAVA_OPTS=-Xmx256m, and the second one splits the line into
# words. Java replaces the process, so that the exporter receives the stop signal of the container.
ENTRYPOINT ["/usr/bin/env", "-S", "/usr/bin/env -S \"/app/jre/bin/java @/app/java.options ${ECOFLOW_JAVA_OPTS} ecoflow.EcoflowExporter\""]
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

# For ECOFLOW_ROLE=collect and ECOFLOW_ROLE=serve: an archive and options of java for both.
FROM assembled AS assembled-fleet
COPY --from=build /build/fleet lib/fleet
RUN cp -rp /exporter/lib . \
    && export ECOFLOW_ROLE=serve \
    && bin/ecoflow-exporter train \
    && bin/ecoflow-exporter options > java.options

FROM exporter AS fleet
COPY --from=build /build/fleet lib/fleet
COPY --from=assembled-fleet /app/cache cache
COPY --from=assembled-fleet /app/java.options ./

# A build without --target builds the last stage.
FROM exporter
