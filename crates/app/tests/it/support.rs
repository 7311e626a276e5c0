//! Starting the program in a folder of its own, asking it, and reading what it recorded.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tempfile::TempDir;

/// Returns the program under test, cut off from the machine's own keys, files and servers.
pub(crate) fn pointsman(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
    command.env_clear().env("HOME", home).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    // A developer's own servers must not be found: nothing listens on port 1.
    for host in ["LLAMACPP", "OLLAMA", "VLLM", "LMSTUDIO"] {
        command.env(format!("{host}_BASE_URL"), "http://127.0.0.1:1");
    }
    command.current_dir(home);
    command
}

/// A folder with a configuration.
pub(crate) struct Setup {
    pub(crate) folder: TempDir,
    pub(crate) environment: Vec<(String, String)>,
}

impl Setup {
    /// Makes a folder with a configuration that listens on a free port.
    pub(crate) fn new() -> Self {
        let setup = Self { folder: tempfile::tempdir().unwrap(), environment: Vec::new() };
        setup.write("pointsman.yaml", "listen: 127.0.0.1:0\ndatabase: ledger.db\n");
        setup
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Adds lines to the configuration.
    pub(crate) fn configure(&self, lines: &str) {
        let text = std::fs::read_to_string(self.path("pointsman.yaml")).unwrap();
        self.write("pointsman.yaml", &format!("{text}{lines}\n"));
    }

    /// Keeps circuits closed, for tests in which a target fails often and is asked again on purpose.
    pub(crate) fn never_open(&self) {
        self.configure("breaker: { consecutive: 1000, minimum: 1000 }");
    }

    /// Adds a provider with models `<id>-a` and `<id>-b`, priced at $1 in and $2 out.
    pub(crate) fn provider(&self, id: &str, base_url: &str) {
        let record = format!(
            "id: {id}\nbase_url: {base_url}\nauth: {{ none: true }}\n\
             speaks: [{{ dialect: openai_chat, path: /chat/completions }}]\n\
             models:\n  - {{ id: {id}-a, price: {{ input: 1, output: 2 }} }}\n  - {{ id: {id}-b, price: {{ input: 1, output: 2 }} }}\n"
        );
        self.write(&format!("providers/{id}.yaml"), &record);
    }

    /// Sends a shipped provider's requests elsewhere, to a script that speaks OpenAI chat.
    pub(crate) fn redirect(&self, id: &str, base_url: &str) {
        let record = format!(
            "id: {id}\nbase_url: {base_url}\nauth: {{ none: true }}\n\
             speaks: [{{ dialect: openai_chat, path: /chat/completions }}]\n"
        );
        self.write(&format!("providers/{id}.yaml"), &record);
    }

    /// Adds a provider with one model, `m`, priced at $1 in and $2 out, that is spoken to in this
    /// dialect; `more` is what else its record says.
    pub(crate) fn speaker(&self, id: &str, base_url: &str, dialect: &str, more: &str) {
        let speaks = crate::canned::speaks(dialect);
        let auth = if more.contains("auth:") { "" } else { "auth: { none: true }\n" };
        let models = if more.contains("models:") {
            ""
        } else {
            "models: [{ id: m, price: { input: 1, output: 2 } }]\n"
        };
        let record =
            format!("id: {id}\nbase_url: {base_url}\n{auth}speaks: [{speaks}]\n{models}{more}\n");
        self.write(&format!("providers/{id}.yaml"), &record);
    }

    /// Writes a routing table and names it.
    pub(crate) fn table(&self, text: &str) {
        self.write("routing.yaml", text);
        self.configure("routing: routing.yaml");
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = pointsman(self.folder.path());
        command.args(arguments).envs(self.environment.iter().cloned());
        command
    }

    /// Runs a command to its end: code, stdout, stderr.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }

    /// Serves, and waits until it says where.
    pub(crate) fn serve(&self) -> Served {
        self.serve_with(&["serve"])
    }

    pub(crate) fn serve_with(&self, arguments: &[&str]) -> Served {
        let log = std::fs::File::create(self.path("stderr.log")).unwrap();
        let mut child = self.command(arguments).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        let base = loop {
            let mut line = String::new();
            if out.read_line(&mut line).unwrap() == 0 {
                let log = std::fs::read_to_string(self.path("stderr.log")).unwrap();
                panic!("serve ended: {said}{log}");
            }
            said += &line;
            if let Some(at) = line.find("http://") {
                break line[at..].split_whitespace().next().unwrap().to_owned();
            }
        };
        // The rest of the greeting is read on, so that the program never blocks on it.
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        Served { child, base, log: self.path("stderr.log") }
    }
}

/// A serving program; it is killed when dropped.
pub(crate) struct Served {
    pub(crate) child: Child,
    /// The OpenAI base URL, with `/v1`.
    pub(crate) base: String,
    log: PathBuf,
}

impl Served {
    pub(crate) fn root(&self) -> &str {
        self.base.trim_end_matches("/v1")
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Asks it to stop and waits for its code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.signal("-TERM");
        self.child.wait().unwrap().code()
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        let url = format!("{}{path}", self.root());
        exchange(Request::get(url).body(Full::default()).unwrap()).await
    }

    /// Posts a body as it is to a path.
    pub(crate) async fn post(
        &self,
        path: &str,
        body: impl Into<Bytes>,
        headers: &[(&str, &str)],
    ) -> Got {
        self.send("POST", path, body.into(), headers).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        body: Bytes,
        headers: &[(&str, &str)],
    ) -> Got {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.root()))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        exchange(request.body(Full::new(body)).unwrap()).await
    }

    pub(crate) async fn chat(&self, body: &Value) -> Got {
        self.chat_with(body.to_string().into_bytes(), &[]).await
    }

    pub(crate) async fn chat_with(&self, body: Vec<u8>, headers: &[(&str, &str)]) -> Got {
        let mut request = Request::post(format!("{}/chat/completions", self.base))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        exchange(request.body(Full::from(body)).unwrap()).await
    }

    /// Looks up the decision an answer names.
    pub(crate) async fn decision(&self, got: &Got) -> Value {
        let id = got.header("x-pointsman-decision").unwrap();
        self.get(&format!("/api/decisions/{id}")).await.json()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
    }
}

pub(crate) fn client() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).build_http()
}

pub(crate) async fn exchange(request: Request<Full<Bytes>>) -> Got {
    let response = client().request(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Got { status: parts.status.as_u16(), headers: parts.headers, body }
}

/// A chat request.
pub(crate) fn ask(model: &str, stream: bool, said: &str) -> Value {
    serde_json::json!({
        "model": model,
        "stream": stream,
        "messages": [{"role": "user", "content": said}],
    })
}

/// Returns the rows of a ledger.
pub(crate) fn rows(setup: &Setup) -> Vec<Value> {
    let (code, out, error) = setup.run(&["ledger", "tail", "-n", "100000", "--json"]);
    assert_eq!(code, 0, "{error}");
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns the ledger's only row as soon as it is there: a request that was given up is settled by
/// nobody who could be waited for.
pub(crate) fn only_row(setup: &Setup) -> Value {
    for _ in 0..500 {
        if let Some(row) = rows(setup).pop() {
            return row;
        }
    }
    panic!("the attempt was never recorded");
}
