//! The three processes of a measurement: the scripted provider, nginx and pointsman. All of them end
//! with [`Servers`].

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;
use testkit::{Answer, Provider, Script};

use super::process;
use crate::root;

/// A server under load.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: &'static str,
    /// The process whose time counts.
    pub(crate) process: u32,
    pub(crate) url: String,
    pub(crate) model: String,
}

/// Everything that was started.
pub(crate) struct Servers {
    pub(crate) nginx: Server,
    pub(crate) pointsman: Server,
    folder: TempDir,
    _processes: Vec<Kill>,
}

/// Ends a process with itself.
struct Kill(Child);

impl Drop for Kill {
    fn drop(&mut self) {
        // nginx ends its workers on SIGTERM; a kill would leave them.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// Be the provider: an answer of a kilobyte, forty chunks when it is streamed.
pub(crate) async fn provider() -> anyhow::Result<ExitCode> {
    let text = "points locks levers signals and tracks ".repeat(30);
    let words: Vec<&str> = text.split_whitespace().collect();
    // The script streams a chunk a word: longer words, fewer chunks.
    let text = words.chunks(4).map(|four| four.join("-")).collect::<Vec<_>>().join(" ");
    let provider = Provider::start(Script::of(Answer::text(&text))).await?;
    #[expect(clippy::print_stdout, reason = "the parent reads it")]
    {
        println!("{}", provider.port());
    }
    std::future::pending().await
}

impl Servers {
    /// Builds pointsman and starts all three.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        ensure!(
            Command::new("nginx").arg("-v").stderr(Stdio::null()).status().is_ok(),
            "nginx is not there: apt-get install nginx-light"
        );
        let build = ["build", "--release", "--quiet", "--locked", "--package", "pointsman"];
        let built = Command::new("cargo").args(build).current_dir(root()).status()?;
        ensure!(built.success(), "pointsman does not build");
        let folder = tempfile::tempdir()?;
        let mut provider = Command::new(std::env::current_exe()?)
            .arg("provider")
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let out = provider.stdout.take().context("read the provider's port")?;
        BufReader::new(out).read_line(&mut line)?;
        let provider = Kill(provider);
        let port: u16 = line.trim().parse().context("read the provider's port")?;
        let (nginx, nginx_process) = nginx(folder.path(), port).await?;
        let (pointsman, pointsman_process) = pointsman(folder.path(), port).await?;
        let processes = vec![nginx_process, pointsman_process, provider];
        Ok(Self { nginx, pointsman, folder, _processes: processes })
    }

    /// Counts the ledger's rows, up to `most`.
    pub(crate) fn ledger_rows(&self, most: usize) -> anyhow::Result<usize> {
        let reader = store::Store::open_to_read(&self.folder.path().join("ledger.db"))?;
        Ok(reader.newest(most)?.len())
    }
}

/// Finds a port that is free now.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

async fn nginx(folder: &Path, provider: u16) -> anyhow::Result<(Server, Kill)> {
    let port = free_port()?;
    let at = folder.display();
    let config = format!(
        "worker_processes 1;\ndaemon off;\npid {at}/nginx.pid;\nerror_log {at}/nginx.log;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n  access_log off;\n  keepalive_requests 100000000;\n  client_body_temp_path {at}/body;\n  proxy_temp_path {at}/proxy;\n  fastcgi_temp_path {at}/f;\n  uwsgi_temp_path {at}/u;\n  scgi_temp_path {at}/s;\n\
         \x20 upstream provider {{ server 127.0.0.1:{provider}; keepalive 64; keepalive_requests 100000000; }}\n\
         \x20 server {{\n    listen 127.0.0.1:{port};\n    location / {{\n      proxy_pass http://provider;\n      proxy_http_version 1.1;\n      proxy_set_header Connection \"\";\n      proxy_buffering off;\n    }}\n  }}\n}}\n"
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, config)?;
    let child = Command::new("nginx")
        .arg("-c")
        .arg(&file)
        .arg("-p")
        .arg(folder)
        .stderr(Stdio::null())
        .spawn()?;
    let id = child.id();
    let kill = Kill(child);
    until(port).await.context("start nginx")?;
    let worker = *process::children(id).first().context("find nginx's worker")?;
    let url = format!("http://127.0.0.1:{port}/v1/chat/completions");
    Ok((Server { name: "nginx", process: worker, url, model: "scripted-1".to_owned() }, kill))
}

async fn pointsman(folder: &Path, provider: u16) -> anyhow::Result<(Server, Kill)> {
    let port = free_port()?;
    let config = format!("listen: 127.0.0.1:{port}\ndatabase: ledger.db\n");
    fs::write(folder.join("pointsman.yaml"), config)?;
    fs::create_dir_all(folder.join("providers"))?;
    let record = format!(
        "id: scripted\nbase_url: http://127.0.0.1:{provider}/v1\nauth: {{ none: true }}\n\
         speaks: [{{ dialect: openai_chat, path: /chat/completions }}]\n\
         models: [{{ id: scripted-1, price: {{ input: 1, output: 2 }} }}]\n"
    );
    fs::write(folder.join("providers/scripted.yaml"), record)?;
    let child = Command::new(root().join("target/release/pointsman"))
        .args(["serve", "--config"])
        .arg(folder.join("pointsman.yaml"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let id = child.id();
    let kill = Kill(child);
    until(port).await.context("start pointsman")?;
    let url = format!("http://127.0.0.1:{port}/v1/chat/completions");
    Ok((
        Server { name: "pointsman", process: id, url, model: "scripted/scripted-1".to_owned() },
        kill,
    ))
}

/// Waits until a port takes connections.
async fn until(port: u16) -> anyhow::Result<()> {
    for _ in 0..200 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("nothing listens on port {port} after ten seconds")
}
