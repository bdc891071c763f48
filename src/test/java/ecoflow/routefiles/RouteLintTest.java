package ecoflow.routefiles;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.Beans;
import ecoflow.offline.RouteCheck;
import ecoflow.routes.RouteFiles;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The output of validate for files with one error each, with its line, and for valid files. */
class RouteLintTest {

  @TempDir private Path directory;

  private List<String> problems(String... texts) throws Exception {
    for (int i = 0; i < texts.length; i++) {
      Files.writeString(directory.resolve((char) ('a' + i) + ".camel.yaml"), texts[i]);
    }
    return RouteCheck.report(Map.of(), Beans::new, directory).problems().stream()
        .map(line -> line.replace(directory + "/", "").replace(".camel.yaml", ""))
        .toList();
  }

  /** A route with these steps, starting at line 6. */
  private static String steps(String steps) {
    return """
        - route:
            id: mine
            from:
              uri: timer:tick
              steps:
        """
        + steps.indent(8);
  }

  static List<Arguments> mistakes() {
    List<Arguments> all = new ArrayList<>();
    // What the schema knows.
    add(all, "", "1: the file is empty; expected a list (lines that start with '- ')");
    add(all, "# nothing\n", "1: the file is empty; expected a list");
    add(all, "hello", "1: the file: expected a list (lines that start with '- '), but was 'hello'");
    add(
        all,
        "route:\n  from:\n    uri: timer:x\n    steps: []\n",
        "1: the file: expected a list (lines that start with '- '), but was a map");
    add(all, "- rout:\n    id: a\n", "1: 'rout' is unknown in the file; did you mean 'route'?");
    add(all, steps("- lgo: hello"), "6: 'lgo' is unknown in steps; did you mean 'log'?");
    add(
        all,
        steps("- log:\n    massage: hello\n    message: hello"),
        "7: 'massage' is unknown in log; did you mean 'message'?");
    add(all, steps("- log: a\n  to: direct:quotas"), "7: 'to' must start a new entry with '- '");
    add(
        all,
        steps("log: hello"),
        "6: steps: expected a list (lines that start with '- '), but was a map");
    add(
        all,
        steps("- log:\n  - hello"),
        "7: log: expected a map (lines of 'key: value'), but was a list");
    add(
        all,
        steps("- log: one").replace("id: mine", "id: [mine]"),
        "2: id: expected a single value");
    add(
        all,
        steps("- log: one").replace("    id: mine", "    id: mine\n    id: other"),
        "3: duplicate key 'id', see line 2");
    add(
        all,
        steps("- log: one").replace("timer:tick", "\n      note: x"),
        "4: from requires 'uri'");
    add(all, "- route:\n    id: mine\n", "2: route requires 'from'");
    add(all, "- from:\n    uri: timer:x\n", "2: from requires 'steps'");
    add(all, steps("- to:\n    id: there"), "7: to requires 'uri'");
    add(
        all,
        steps("- log:\n    loggingLevel: LOUD\n    message: x"),
        "7: loggingLevel: unknown value 'LOUD'; allowed: DEBUG, ERROR, INFO, OFF, TRACE, WARN");
    add(
        all,
        steps("- multicast:\n    parallelProcessing: often\n    steps:\n      - log: x"),
        "7: parallelProcessing: expected true or false, but was 'often'");
    add(
        all,
        steps("- log: one").replace("id: mine", "startupOrder: first"),
        "2: startupOrder: expected a number, but was 'first'");
    add(all, steps("- log: \"open"), "a quote is opened but not closed");
    add(
        all,
        steps("- log: one").replace("    id", "\tid"),
        "2: a tab is not allowed as indentation: use spaces");
    add(
        all,
        steps("- log: one").replace("    from:", "     from:"),
        "3: unexpected ':': this line is indented too far");
    add(
        all,
        steps("- log: one").replace("    from:", "   from:"),
        "3: this line is indented differently from the other keys of its map");
    add(all, steps("- log:\n  message: one"), "7: 'message' belongs to 'log': indent it further");
    add(
        all,
        steps("- bean: {ref: quotas, method: stor}"),
        "6: bean quotas has no method 'stor'; did you mean 'store'?");
    add(
        all,
        steps("- setBody: {method: {ref: quotas, method: \"inputof(*, 'a', 'b')\"}}"),
        "6: bean quotas has no method 'inputof'; did you mean 'inputOf'?");
    add(
        all,
        steps("- setBody: {simple: \"${bean:quotas?method=curentValue(*, 'a')}\"}"),
        "6: bean quotas has no method 'curentValue'; did you mean 'currentValue'?");
    add(
        all,
        steps("- setBody: {method: {beanType: java.lang.Math, method: \"absolute(1)\"}}"),
        "6: class java.lang.Math has no method 'absolute'");
    add(
        all,
        steps("- to: bean:normalised?method=off"),
        "6: bean normalised has no method 'off'; did you mean 'of'?");
    add(
        all,
        steps("- setBody:\n    simpel: x"),
        "7: 'simpel' is unknown in setBody; did you mean 'simple'?");
    add(
        all,
        steps("- unmarshal:\n    jsn: {}"),
        "7: 'jsn' is unknown in unmarshal; did you mean 'json'?");
    // Errors that only the exporter detects.
    add(
        all,
        steps("- to: kafak:topic"),
        "6: unknown component kafak: put org.apache.camel:camel-kafak");
    add(
        all,
        steps("- to: smtp:localhost"),
        "6: unknown component smtp: put org.apache.camel:camel-mail");
    add(
        all,
        steps("- to: filee:/tmp"),
        "into ECOFLOW_LIB_DIR (ecoflow-exporter lib add camel-filee), or correct the name; did you mean 'file'?");
    add(
        all,
        steps("- log: x").replace("timer:tick", "timer:tick?perid=5"),
        "4: 'perid' is not an option of timer; did you mean 'period'?");
    add(
        all,
        steps("- to:\n    uri: seda:x\n    parameters:\n      sise: 5"),
        "9: 'sise' is not an option of seda; did you mean 'size'?",
        "seda:x");
    add(
        all,
        steps("- to:\n    uri: file:x?fileExist=Append\n    parameters:\n      charset: utf-8"),
        "7: options are both in uri and in parameters; use only one of them");
    add(
        all,
        steps("- to:\n    uri: file\n    parameters:\n      fileExist: Append"),
        "7: file requires the parameter 'directoryName'");
    add(
        all,
        steps("- to: file:x?fileExist=Apend"),
        "6: fileExist of file: unknown value 'Apend'; did you mean 'Append'?");
    add(
        all,
        steps("- log: x").replace("tick", "tick?fixedRate=maybe"),
        "4: fixedRate of timer: expected true or false, but was 'maybe'");
    add(
        all,
        steps("- log: x").replace("tick", "tick?repeatCount=all"),
        "4: repeatCount of timer: expected a number, but was 'all'");
    add(
        all,
        steps("- bean:\n    ref: quotaz\n    method: store"),
        "7: unknown bean quotaz; did you mean 'quotas'?");
    add(
        all,
        steps("- setBody:\n    method:\n      ref: nobody\n      method: x"),
        "8: unknown bean nobody");
    add(
        all,
        steps("- to: paho:t?client=%23nobody&brokerUrl=tcp://localhost:1").replace("%23", "#"),
        "6: unknown bean nobody");
    add(all, steps("- log: \"${bean:nobody?method=x}\""), "6: unknown bean nobody");
    add(
        all,
        steps("- setBody:\n    method:\n      beanType: com.example.Nothing\n      method: x"),
        "8: unknown class com.example.Nothing: put its jar into ECOFLOW_LIB_DIR");
    add(
        all,
        "- beans:\n    - name: x\n      type: com.example.Nothing\n",
        "3: unknown class com.example.Nothing");
    add(
        all,
        "- onException:\n    exception:\n      - java.io.IOExeption\n    steps:\n      - log: x\n"
            + steps("- log: x"),
        "3: unknown class java.io.IOExeption");
    add(all, steps("- log: \"{{nobody.set}}\""), "6: {{nobody.set}} is not defined");
    add(
        all,
        steps("- log: \"{{env:ECOFLOW_NOBODY_SET}}\""),
        "6: {{env:ECOFLOW_NOBODY_SET}} is not defined; to set a default value");
    add(
        all,
        steps("- log: x").replace("id: mine", "routeConfigurationId: unexpected-error"),
        "2: unknown routeConfiguration unexpected-error; did you mean 'unexpected-errors'?");
    add(
        all,
        "- templatedRoute:\n    routeTemplateRef: nobody\n    routeId: x\n",
        "2: unknown routeTemplate nobody");
    add(
        all,
        steps("- to: direct:quotaz"),
        "6: no route starts with direct:quotaz; did you mean 'direct:quotas'?");
    add(all, steps("- wireTap:\n    uri: seda:nobody"), "7: no route starts with seda:nobody");
    add(
        all,
        steps("- log: x").replace("mine", "quotas"),
        "1: duplicate route id quotas, see routes/quotas:4");
    for (String path : List.of("/", "metrics", "/-/healthy")) {
      add(
          all,
          steps("- log: x").replace("timer:tick", "platform-http:" + path),
          "1: duplicate path GET /" + path.replaceFirst("^/", "") + ", see routes/");
    }
    add(all, steps("- log: \"${body\""), "6: invalid Simple expression: ");
    add(
        all,
        steps("- filter:\n    simple: \"${body} == \"\n    steps:\n      - log: x"),
        "7: invalid Simple expression: ");
    add(all, steps("- log: \"${bodi}\""), "6: invalid Simple expression: Unknown function: bodi");
    add(
        all,
        steps("- setBody:\n    groovy: \"1 + 1\""),
        "7: unknown language groovy: put org.apache.camel:camel-groovy");
    add(
        all,
        steps("- unmarshal:\n    csv: {}"),
        "7: unknown data format csv: put org.apache.camel:camel-csv");
    add(
        all,
        steps("- unmarshal:\n    json:\n      library: Gson"),
        "7: unknown data format gson: put org.apache.camel:camel-gson");
    return all;
  }

  private static void add(List<Arguments> all, String text, String words, String... also) {
    all.add(Arguments.of(text, words, List.of(also)));
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void anErrorIsReportedWithItsLine(String text, String words, List<String> also) throws Exception {
    List<String> problems = problems(text);

    assertTrue(
        problems.stream().anyMatch(line -> line.contains(words.isEmpty() ? "a:" : words)),
        problems::toString);
    assertTrue(problems.stream().allMatch(line -> line.matches("a:\\d+: .*")), problems::toString);
    assertEquals(1 + also.size(), problems.size(), problems::toString);
  }

  static Stream<String> goodFiles() {
    return Stream.of(
        """
        - route:
            id: choosing
            startupOrder: "20"
            autoStartup: "true"
            from:
              uri: timer:tick?period=60000&repeatCount=1
              steps:
                - choice:
                    when:
                      - simple: "${body} == null && ${header.a} contains 'b'"
                        steps:
                          - log: "none: ${exchangeId} at ${date:now:yyyy-MM-dd}"
                      - expression:
                          simple:
                            expression: "${body.size} > 3"
                        steps:
                          - stop: {}
                    otherwise:
                      steps:
                        - setBody:
                            constant: "a # is not a bean: #fff"
        """,
        """
        - from:
            uri: "timer://tock"
            parameters:
              period: "{{tock.period:5000}}"
              delay: 1000
            steps:
              - multicast:
                  parallel-processing: false
                  aggregationStrategy: "#class:org.apache.camel.processor.aggregate.GroupedBodyAggregationStrategy"
                  steps:
                    - to: direct:one
                    - to: "direct:two"
              - toD: "file:/tmp/${header.folder}?fileName=x-${date:now:yyyy}.csv&fileExist=append"
              - removeHeaders: "*"
        - from:
            uri: direct:one
            steps:
              - split:
                  simple: "${body}"
                  aggregationStrategy: "#joining"
                  steps:
                    - setProperty:
                        name: x
                        simple: "${header.CamelSplitIndex}"
        - from:
            uri: direct:two
            steps:
              - loop:
                  doWhile: true
                  simple: "${variable.n} < 5"
                  steps:
                    - setVariable: {name: n, simple: "${variable.n}++"}
        - beans:
            - name: joining
              type: org.apache.camel.processor.aggregate.GroupedBodyAggregationStrategy
        """,
        """
        - onException:
            exception: [java.io.IOException, "java.lang.IllegalStateException"]
            handled: {constant: "true"}
            redeliveryPolicy:
              maximumRedeliveries: "{{retries:2}}"
              redeliveryDelay: 50
            steps:
              - log: "failed: ${exception.message}"
        - route:
            id: calls
            from:
              uri: seda:changes-calls?size=10
              steps:
                - setHeader: {name: CamelHttpMethod, constant: POST}
                - marshal:
                    json: {library: Jackson}
                - doTry:
                    steps:
                      - to:
                          uri: "http://localhost:1/api"
                          parameters:
                            anything: x
                            connectTimeout: 1000
                    doCatch:
                      - exception: [java.lang.Exception]
                        onWhen: {simple: "${exception.message} != null"}
                        steps: [{log: "no"}]
                    doFinally:
                      steps:
                        - log: {message: done, loggingLevel: debug}
        """,
        """
        - routeTemplate:
            id: printing
            parameters:
              - name: where
              - name: seconds
                defaultValue: "10"
            from:
              uri: "direct:print-{{where}}"
              steps:
                - log: "{{where}} ${body} {{seconds}}"
        - templatedRoute:
            routeTemplateRef: printing
            routeId: printing-there
            parameters:
              - {name: where, value: there}
        - route:
            from:
              uri: scheduler:often?delay=60000
              steps:
                - to: direct:print-there
                - to: seda:later
                - to: seda:much-later
                - pollEnrich: {constant: "seda:later?size=5", timeout: 0}
                - poll: {uri: "seda:much-later", timeout: "0"}
                - wireTap: {uri: "seda:none?discardIfNoConsumers=true"}
        """,
        """
        - beans:
            - name: words
              type: java.util.TreeMap
            - name: made
              type: "#class:java.util.HashMap"
        - route:
            id: only-rest
            precondition: "'{{ecoflow.mode}}' == 'rest'"
            from:
              uri: timer:rest
              steps:
                - to: direct:device-list
        - route:
            id: with-beans
            errorHandler:
              noErrorHandler: {}
            from:
              uri: seda:pictures-beans
              steps:
                - bean: {ref: words, method: size}
                - bean: {ref: made, method: "get('a')"}
                - setBody:
                    simple: "${bean:quotas?method=inputOf(*, 'a', 'b')}"
                - setBody: {method: {beanType: java.lang.Math, method: "abs(1)"}}
                - filter:
                    method: {ref: words, method: isEmpty}
                    steps:
                      - throwException:
                          exceptionType: java.lang.IllegalStateException
                          message: "no ${body}"
                - aggregate:
                    correlationExpression: {constant: "true"}
                    aggregationStrategy: "#class:org.apache.camel.processor.aggregate.UseLatestAggregationStrategy"
                    completionTimeout: "500"
                    completionSize: 10
                    steps:
                      - log: "${body}"
        """,
        """
        - intercept:
            steps:
              - setHeader: {name: seen, constant: "yes"}
        - interceptFrom:
            uri: direct:*
            steps:
              - log: intercepted
        - onCompletion:
            steps:
              - log: over
        - route:
            id: rest-of-them
            note: "a {{note}} is for people"
            from:
              uri: paho
              parameters:
                topic: "house/#"
                brokerUrl: "tcp://{{env:NO_SUCH_HOST:localhost}}:1883"
                userName: "{{?house.user}}"
                qos: "{{qos:1}}"
                lazyStartProducer: "true"
              steps:
                - delay: {constant: "10"}
                - throttle: {constant: 5}
                - convertBodyTo: {type: java.lang.String}
                - transform: {simple: "${body.trim()}"}
                - validate: {simple: "${body} != ''"}
                - recipientList: {simple: "direct:${header.there}"}
                - idempotentConsumer:
                    idempotentRepository: "#seen"
                    header: id
                    steps: [{log: x}]
        - route:
            id: takes-what-people-send
            from:
              uri: platform-http
              parameters:
                path: /
                httpMethodRestrict: "POST"
              steps:
                - log: "${body}"
        - beans:
            - name: seen
              type: org.apache.camel.support.processor.idempotent.MemoryIdempotentRepository
        """);
  }

  @ParameterizedTest
  @MethodSource("goodFiles")
  void aValidFileHasNoErrors(String text) throws Exception {
    assertEquals(List.of(), problems(text));
  }

  @Test
  void packagedFilesHaveNoErrors() throws Exception {
    for (String name : RouteFiles.packaged()) {
      Files.copy(Path.of("src/main/resources/routes", name), directory.resolve(name));
    }
    assertEquals(List.of(), problems());
  }

  @Test
  void examplesHaveNoErrors() throws Exception {
    try (Stream<Path> files = Files.walk(Path.of("examples/routes/tutorial"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, directory.resolve(file.getFileName()));
      }
    }
    assertEquals(List.of(), problems());
  }

  @Test
  void allErrorsOfAllFilesAreReported() throws Exception {
    assertEquals(
        List.of(
            "a:6: 'lgo' is unknown in steps; did you mean 'log'?",
            "a:7: no route starts with direct:nowhere",
            "b:1: duplicate route id mine, see a:1",
            "b:6: unknown bean nobody"),
        problems(
            steps("- lgo: x\n- to: direct:nowhere"), steps("- bean: {ref: nobody, method: x}")));
  }

  @Test
  void aReplacedFileLosesItsRoutes() throws Exception {
    Files.writeString(directory.resolve("quotas.camel.yaml"), steps("- log: x"));

    List<String> problems = problems();

    assertTrue(
        problems.contains(
            "quotas:1: no route starts with direct:quotas, but"
                + " routes/rest-device-values:59 sends to it"),
        problems::toString);
  }

  private List<String> warnings(String... texts) throws Exception {
    assertEquals(List.of(), problems(texts));
    return RouteCheck.report(Map.of(), Beans::new, directory).warnings().stream()
        .map(line -> line.replace(directory + "/", "").replace(".camel.yaml", ""))
        .toList();
  }

  private static String intercepting(String endpoint) {
    return """
        - routeConfiguration:
            interceptFrom:
              - interceptFrom:
                  uri: ENDPOINT
                  steps:
                    - log: x
        """
        .replace("ENDPOINT", endpoint);
  }

  private static String route(String endpoint, String id) {
    return steps("- log: x").replace("id: mine", "id: " + id).replace("timer:tick", endpoint);
  }

  @Test
  void namesSimilarToEntryPointsAreWarnings() throws Exception {
    assertEquals(
        List.of(
            "a:4: no route starts with direct:quota, so these steps never run;"
                + " did you mean 'direct:quotas'?",
            "b:1: nothing sends messages to seda:change-mine; did you mean 'seda:changes-mine'?",
            "c:1: nothing sends messages to direct:pictures-mine;"
                + " did you mean 'seda:pictures-mine'?",
            "d:1: nothing sends messages to direct:quotaz; did you mean 'direct:quotas'?"),
        warnings(
            intercepting("direct:quota"),
            route("seda:change-mine", "b"),
            route("direct:pictures-mine", "c"),
            route("direct:quotaz", "d")));
  }

  @Test
  void entryPointsAndOwnEndpointsAreNotWarnings() throws Exception {
    assertEquals(
        List.of(),
        warnings(
            intercepting("direct:quotas"),
            intercepting("direct:device-due"),
            intercepting("direct:*"),
            intercepting("seda:changes-mine"),
            route("seda:changes-mine", "e"),
            steps("- to: seda:change"),
            route("seda:change", "g")));
  }

  @Test
  void anUnusedRouteConfigurationIsAWarning() throws Exception {
    String configuration =
        """
        - routeConfiguration:
            id: unused
            onException:
              - onException:
                  exception: [java.lang.Exception]
                  handled: {constant: "true"}
                  steps: [{log: x}]
        """;
    assertEquals(
        List.of(
            "a:1: no route refers to routeConfiguration unused with routeConfigurationId;"
                + " without an id, it applies to all routes"),
        warnings(configuration));
    assertEquals(
        List.of(),
        warnings(
            configuration,
            steps("- log: x")
                .replace("id: mine", "routeConfigurationId: unused,unexpected-errors")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "setBody: {simple: \"${body['a']} * 0.1\"}",
        "setBody: {simple: \"100 - ${body['a']}\"}",
        "setBody: {simple: \"${body['a']}+${body['b']}\"}",
        "script: {simple: \"${body.put('a', ${body['a']} * 0.1)}\"}",
        "script: {simple: \"${body.put('a', ${body['a']}/10)}\"}"
      })
  void arithmeticInSimpleIsAWarning(String step) throws Exception {
    List<String> warnings = warnings(steps("- " + step));

    assertEquals(1, warnings.size(), () -> "" + warnings);
    assertTrue(
        warnings.get(0).startsWith("a:6: Simple does not calculate, the operator is text: "),
        () -> "" + warnings);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "setBody: {simple: \"${date:now:yyyy}/${header.a}-${header.b}.json\"}",
        "setBody: {simple: \"${header.a}-1\"}",
        "setBody: {simple: \"between ${body} - ${header.a}\"}",
        "log: \"${body} * 2\"",
        "setBody: {simple: \"${sum(${date:millis},30000)}\"}",
        "setBody: {simple: \"${body}\"}"
      })
  void textWithOperatorsIsNotAWarning(String step) throws Exception {
    assertEquals(List.of(), warnings(steps("- " + step)));
  }

  @Test
  void filesThatAreNotReadAreWarnings() throws Exception {
    Files.writeString(directory.resolve("mine.yaml"), "x");
    Files.writeString(directory.resolve("README.md"), "x");
    Files.createDirectory(directory.resolve("empty"));
    Path more = Files.createDirectory(directory.resolve("more"));
    Files.writeString(more.resolve("b.camel.yaml"), "x");

    assertEquals(
        List.of(
            "mine.yaml is ignored: the names of route files end in .camel.yaml",
            "more is ignored: route files must be in the directory itself"),
        RouteCheck.report(Map.of(), Beans::new, directory).warnings().stream()
            .map(line -> line.replace(directory + "/", ""))
            .toList());
  }

  @Test
  void theReportListsFilesWithTheirDefinitions() throws Exception {
    Files.writeString(
        directory.resolve("one.camel.yaml"), steps("- log: x") + intercepting("direct:quotas"));
    Files.writeString(
        directory.resolve("two.camel.yaml"),
        "- beans:\n    - {name: a, type: java.util.TreeMap}\n- from: {uri: timer:x, steps: []}\n");
    String health = "health.camel.yaml";
    Files.copy(Path.of("src/main/resources/routes", health), directory.resolve(health));

    List<String> files = RouteCheck.report(Map.of(), Beans::new, directory).files();

    assertTrue(
        files.get(0).startsWith("health.camel.yaml (replaces the packaged one): routes "),
        () -> "" + files);
    assertEquals(
        List.of(
            "one.camel.yaml: route mine; 1 configuration",
            "two.camel.yaml: route without id; bean a"),
        files.subList(1, 3));
  }

  @Test
  void nothingIsStartedOrLeftBehind() throws Exception {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    Path written = directory.resolve("written");
    try (ServerSocket broker = new ServerSocket(0, 0, InetAddress.getLoopbackAddress())) {
      String text =
          """
          - from:
              uri: timer:now?delay=-1&repeatCount=1
              steps:
                - to: file:FOLDER?fileName=written
          - from:
              uri: paho:x?brokerUrl=tcp://127.0.0.1:PORT
              steps:
                - log: x
          - from:
              uri: platform-http:/mine
              steps:
                - log: x
          """
              .replace("FOLDER", directory.toString())
              .replace("PORT", "" + broker.getLocalPort());

      assertEquals(List.of(), problems(text));

      broker.setSoTimeout(1);
      assertThrows(SocketTimeoutException.class, broker::accept, "connected to the server");
    }
    assertFalse(Files.exists(written));
    eventually(
        () -> {
          Set<Thread> after = new HashSet<>(Thread.getAllStackTraces().keySet());
          after.removeAll(before);
          after.removeIf(thread -> !thread.getName().matches("(?i).*(camel|vert|mqtt).*"));
          assertEquals(Set.of(), after);
        });
  }
}
