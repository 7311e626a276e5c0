//! The configuration each gateway needs so that the models of the rows lead to the wall: files as
//! the gateway reads them. Every gateway gets its documented fallbacks, retries and timeouts.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::row::{Client, HEALTHY, Route, Row};
use super::scenario::SCENARIOS;
use super::wall::{Address, CREDENTIAL};

/// The environment variable in which the gateway of the suite finds the wall's credential.
pub(crate) const CREDENTIAL_VARIABLE: &str = "WALL_API_KEY";

/// The limits of `pointsman`, for tasks and for models that are named: 2 seconds until an answer
/// begins and between its pieces, 8 in total, one retry.
const LIMITS: &str = "{ connect: 2s, timeout: 2s, silence: 2s, total: 8s, retries: 1 }";

/// Returns the files that `pointsman serve` needs, by name.
pub(crate) fn pointsman(rows: &[Row], address: Address, listen: &str) -> Vec<(String, String)> {
    let auth = format!("auth: {{ bearer: \"env:{CREDENTIAL_VARIABLE}\" }}");
    let speaks = "speaks:\n  - { dialect: openai_chat, path: /chat/completions }\n  \
                  - { dialect: anthropic_messages, path: /messages }";
    let record = |id: &str, base: String, models: Vec<String>| {
        let models: String = models.iter().fold(String::new(), |mut text, model| {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "  - {{ id: {model}, price: {{ input: 1, output: 2 }} }}");
            text
        });
        let text =
            format!("id: \"{id}\"\nbase_url: {base}/v1\n{auth}\n{speaks}\nmodels:\n{models}");
        (format!("providers/{id}.yaml"), text)
    };
    let mut tasks = String::new();
    for row in rows.iter().filter(|row| row.route == Route::Fallback) {
        let (model, provider) = (row.model(), row.scenario.name);
        let _ = writeln!(
            tasks,
            "  {model}: {{ primary: {provider}/{model}, fallbacks: [wall/{HEALTHY}] }}"
        );
    }
    let table = format!(
        "version: faults\ndefault_model: wall/{HEALTHY}\ndefaults: {LIMITS}\ndirect: {LIMITS}\n\
         tasks:\n{tasks}"
    );
    let main = format!(
        "listen: {listen}\ndatabase: ledger.db\nrouting: routing.yaml\nlog: {{ level: error }}\n"
    );
    let mut files = vec![
        ("pointsman.yaml".to_owned(), main),
        ("routing.yaml".to_owned(), table),
        record("wall", address.root(), vec![HEALTHY.to_owned()]),
    ];
    for scenario in SCENARIOS {
        let of_scenario = rows.iter().filter(|row| row.scenario.name == scenario.name);
        let models: Vec<String> = of_scenario.map(Row::model).collect();
        if !models.is_empty() {
            files.push(record(scenario.name, address.root_of(scenario.reached), models));
        }
    }
    files
}

/// Returns a shell script that writes files into the current folder.
pub(crate) fn as_script(files: &[(String, String)]) -> String {
    let mut script = String::from("mkdir -p providers\n");
    for (name, text) in files {
        let _ = write!(script, "cat >{name} <<'END'\n{text}END\n");
    }
    let _ = writeln!(script, "echo 'now: {CREDENTIAL_VARIABLE}={CREDENTIAL} pointsman serve'");
    script
}

/// Returns the configuration of LiteLLM's proxy.
pub(crate) fn litellm(rows: &[Row], address: Address) -> String {
    let mut text = String::from("model_list:\n");
    let healthy = [Client::Openai, Client::Anthropic];
    for client in healthy {
        let entry = litellm_entry(&litellm_healthy(client), client, HEALTHY, &address.root());
        let _ = writeln!(text, "  - {entry}");
    }
    for row in rows {
        let (model, base) = (row.model(), address.root_of(row.scenario.reached));
        let _ = writeln!(text, "  - {}", litellm_entry(&model, row.client, &model, &base));
    }
    let fallbacks: Vec<Value> = rows
        .iter()
        .filter(|row| row.route == Route::Fallback)
        .map(|row| json!({row.model(): [litellm_healthy(row.client)]}))
        .collect();
    let _ = writeln!(text, "router_settings:\n  num_retries: 1\n  timeout: 8");
    let _ = writeln!(text, "  fallbacks: {}", Value::Array(fallbacks));
    let _ = writeln!(
        text,
        "litellm_settings:\n  num_retries: 1\n  request_timeout: 8\n  telemetry: false"
    );
    let _ = writeln!(text, "general_settings:\n  cancel_on_disconnect: true");
    text
}

fn litellm_healthy(client: Client) -> String {
    format!("{HEALTHY}_{}", client.name())
}

fn litellm_entry(name: &str, client: Client, model: &str, root: &str) -> Value {
    // Its Anthropic client adds the version to the address itself.
    let base = if client == Client::Openai { format!("{root}/v1") } else { root.to_owned() };
    json!({"model_name": name, "litellm_params": {
        "model": format!("{}/{model}", client.name()), "api_base": base, "api_key": CREDENTIAL,
        "timeout": 2, "stream_timeout": 2, "max_retries": 0,
    }})
}

/// Returns the headers with which Portkey's gateway is told its configuration, as `--headers` reads
/// them.
pub(crate) fn portkey() -> String {
    let of = |client: Client| {
        let target = |host: &str, model: &str| {
            json!({
                "provider": client.name(), "custom_host": host, "api_key": CREDENTIAL,
                "override_params": {"model": model},
            })
        };
        let (faulty, healthy) = (target("{base}", "{model}"), target("{wall}", HEALTHY));
        // Its `use_retry_after_header` needs a patched async-retry, which npm does not install, so a
        // rate limit goes to the fallback at once.
        let retry = json!({"attempts": 1, "on_status_codes": [500, 502, 503, 504]});
        let with = json!({
            "strategy": {"mode": "fallback"}, "request_timeout": 2000, "retry": retry,
            "targets": [faulty, healthy],
        });
        let mut alone = faulty;
        alone["request_timeout"] = json!(2000);
        alone["retry"] = retry;
        let header = |config: Value| json!({"x-portkey-config": config.to_string()});
        json!({"fallback": header(with), "alone": header(alone)})
    };
    let headers = json!({"openai": of(Client::Openai), "anthropic": of(Client::Anthropic)});
    format!("{headers:#}")
}
