//! Variables that are missing, and values that must not be told.

use expect_test::expect;

use super::check;

#[test]
fn every_missing_variable_is_told() {
    check(
        "version: ${A}\nserver:\n  port: ${B}\n  timeout: ${C\n",
        expect![[r#"
        c.yaml:1:10: version: the variable `A` is not set
          help: set it, or give a default: `${A:-…}`
        c.yaml:3:9: server.port: the variable `B` is not set
          help: set it, or give a default: `${B:-…}`
        c.yaml:4:12: server.timeout: `${` has no closing `}`
          help: write `${NAME}`, and `$$` for a dollar"#]],
    );
}

#[test]
fn the_value_of_a_variable_is_never_quoted() {
    check(
        "server: {port: \"${SECRET}\", metrics: \"x${SECRET}\"}\n\
         tasks: {t: {models: [m], prefer: \"${SECRET}\", labels: {a: \"${SECRET}\"}}}\n\
         providers: {p: {base_url: u, auth: \"${SECRET}\", dialect: \"${SECRET}\", \
         models: [{name: m, price: \"${SECRET}\"}], limit: {kind: \"${SECRET}\"}}}\n",
        expect![[r#"
            c.yaml:1:16: server.port: expected a whole number, found the value of `${SECRET}`
            c.yaml:1:38: server.metrics: expected true or false, found the value of `x${SECRET}`
            c.yaml:2:34: tasks.t.prefer: unknown value `${SECRET}`
              help: one of `cheap`, `fast`, `quality`
            c.yaml:2:55: tasks.t.labels: expected text or a list, found a map
            c.yaml:3:36: providers.p.auth: unknown value `${SECRET}`
              help: one of `none`, `ambient`, `bearer`, `header`
            c.yaml:3:58: providers.p.dialect: unknown value `${SECRET}`
              help: one of `openai_chat`, `anthropic_messages`
            c.yaml:3:97: providers.p.models[0].price: expected a decimal number, found `${SECRET}`
              help: write digits with a point, such as 0.59
            c.yaml:3:126: providers.p.limit.kind: unknown value `${SECRET}`
              help: one of `requests`, `tokens`"#]],
    );
}
