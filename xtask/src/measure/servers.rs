//! The processes of a measurement: the scripted provider, nginx and pointsman. All of them end with
//! [`Servers`].

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use super::process::{self, Running};
use super::{Measure, load};
use crate::root;

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    Nginx,
    Pointsman,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Pointsman => "pointsman",
        }
    }
}

/// A server under load.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) kind: Kind,
    /// The process whose time counts: nginx's worker, for its master only waits.
    pub(crate) process: u32,
    pub(crate) url: String,
    pub(crate) model: &'static str,
    running: Running,
}

/// Everything that was started. Declared in the order in which it ends.
pub(crate) struct Servers {
    /// In the order they are measured; the first is what the others are compared with.
    pub(crate) list: Vec<Server>,
    _provider: Running,
    folder: TempDir,
}

/// Says whether there is an nginx to compare with.
pub(crate) fn nginx_is_installed() -> bool {
    Command::new("nginx").arg("-v").stderr(Stdio::null()).status().is_ok()
}

impl Servers {
    /// Starts the provider and the servers in front of it.
    pub(crate) async fn start(args: &Measure, kinds: &[Kind]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (provider, port) = provider(folder.path(), args.pause)?;
        let mut list = Vec::new();
        for kind in kinds {
            list.push(match kind {
                Kind::Nginx => nginx(folder.path(), port).await?,
                Kind::Pointsman => {
                    let binary = args.binary.clone().map_or_else(built, Ok)?;
                    pointsman(folder.path(), port, &binary).await?
                }
            });
        }
        Ok(Self { list, _provider: provider, folder })
    }

    /// Counts the ledger's rows, up to `most`.
    pub(crate) fn ledger_rows(&self, most: usize) -> anyhow::Result<usize> {
        let reader = store::Store::open_to_read(&self.folder.path().join("ledger.db"))?;
        Ok(reader.newest(most)?.len())
    }

    /// Ends the servers; fails when one does not end as told.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        for server in &mut self.list {
            server.running.stop().with_context(|| format!("stop {}", server.kind.name()))?;
        }
        Ok(())
    }
}

/// Starts the provider as a process of its own and returns its port.
pub(crate) fn provider(folder: &Path, pause: u64) -> anyhow::Result<(Running, u16)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["provider", "--pause", &pause.to_string()]).stdout(Stdio::piped());
    let mut running = Running::start(&mut command, folder, "provider")?;
    let mut line = String::new();
    let out = running.child.stdout.take().context("read the provider's port")?;
    BufReader::new(out).read_line(&mut line)?;
    let port = line.trim().parse().with_context(|| running.complaints());
    Ok((running, port.context("start the provider")?))
}

/// Builds the pointsman that is measured.
pub(crate) fn built() -> anyhow::Result<PathBuf> {
    let build = ["build", "--release", "--quiet", "--locked", "--package", "pointsman"];
    let status = Command::new("cargo").args(build).current_dir(root()).status()?;
    ensure!(status.success(), "pointsman does not build");
    // Wherever cargo builds, this program lies there as well.
    let here = std::env::current_exe()?;
    let target = here.parent().and_then(Path::parent).context("find cargo's folder")?;
    Ok(target.join("release/pointsman"))
}

async fn nginx(folder: &Path, provider: u16) -> anyhow::Result<Server> {
    let port = free_port()?;
    let file = folder.join("nginx.conf");
    fs::write(&file, nginx_config(folder, port, provider))?;
    let mut command = Command::new("nginx");
    command.args(["-e", "stderr", "-p"]).arg(folder).arg("-c").arg(&file);
    let mut running = Running::start(&mut command, folder, "nginx")?;
    // The provider's list of models, through nginx.
    until_answered(&format!("http://127.0.0.1:{port}/v1/models"), &mut running).await?;
    let worker = *process::children(running.child.id()).first().context("find nginx's worker")?;
    let url = format!("http://127.0.0.1:{port}/v1/chat/completions");
    Ok(Server { kind: Kind::Nginx, process: worker, url, model: "scripted-1", running })
}

/// One worker that keeps connections open on both sides and passes streams on as they come.
fn nginx_config(folder: &Path, port: u16, provider: u16) -> String {
    let at = folder.display();
    format!(
        r#"worker_processes 1;
daemon off;
pid {at}/nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {at}/body;
  proxy_temp_path {at}/proxy;
  fastcgi_temp_path {at}/fastcgi;
  uwsgi_temp_path {at}/uwsgi;
  scgi_temp_path {at}/scgi;
  keepalive_requests 100000000;
  upstream provider {{
    server 127.0.0.1:{provider};
    keepalive 64;
    keepalive_requests 100000000;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"#
    )
}

async fn pointsman(folder: &Path, provider: u16, binary: &Path) -> anyhow::Result<Server> {
    let port = free_port()?;
    let file = configured(folder, port, provider)?;
    let mut command = Command::new(binary);
    command.args(["serve", "--config"]).arg(file).stdout(Stdio::null());
    let mut running = Running::start(&mut command, folder, "pointsman")?;
    until_answered(&format!("http://127.0.0.1:{port}/health/live"), &mut running).await?;
    let (process, url) =
        (running.child.id(), format!("http://127.0.0.1:{port}/v1/chat/completions"));
    Ok(Server { kind: Kind::Pointsman, process, url, model: "scripted/scripted-1", running })
}

/// Writes a configuration that listens on a port and knows the scripted provider; returns its file.
pub(crate) fn configured(folder: &Path, port: u16, provider: u16) -> anyhow::Result<PathBuf> {
    let config = format!("listen: 127.0.0.1:{port}\ndatabase: ledger.db\n");
    fs::write(folder.join("pointsman.yaml"), config)?;
    fs::create_dir_all(folder.join("providers"))?;
    let record = format!(
        "id: scripted\nbase_url: http://127.0.0.1:{provider}/v1\nauth: {{ none: true }}\n\
         speaks: [{{ dialect: openai_chat, path: /chat/completions }}]\n\
         models: [{{ id: scripted-1, price: {{ input: 1, output: 2 }} }}]\n"
    );
    fs::write(folder.join("providers/scripted.yaml"), record)?;
    Ok(folder.join("pointsman.yaml"))
}

/// Finds a port that is free now.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Waits until a server answers with 200.
pub(crate) async fn until_answered(url: &str, running: &mut Running) -> anyhow::Result<()> {
    for _ in 0..200 {
        if load::answers(url).await {
            return Ok(());
        }
        if let Some(status) = running.child.try_wait()? {
            bail!("the server for {url} ended with {status}:\n{}", running.complaints());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("no answer from {url} after ten seconds:\n{}", running.complaints())
}
