//! This gateway, started for a run: the same program in a folder of its own, cut off from the
//! machine's keys. It ends when it is dropped.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

use super::configs::{self, CREDENTIAL_VARIABLE};
use super::row::Row;
use super::target::{Headers, Target};
use super::wall::{Address, CREDENTIAL};

/// A gateway that runs.
#[derive(Debug)]
pub(crate) struct Own {
    child: Child,
    folder: PathBuf,
    base: String,
}

impl Own {
    /// Starts the gateway in front of a wall.
    pub(crate) fn start(rows: &[Row], address: Address) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("pointsman-faults-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("providers"))
            .with_context(|| format!("make the folder {}", folder.display()))?;
        for (name, text) in configs::pointsman(rows, address, "127.0.0.1:0") {
            let file = folder.join(name);
            std::fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
        }
        let log = std::fs::File::create(folder.join("stderr.log")).context("make a log")?;
        let child = Command::new(std::env::current_exe().context("find this program")?)
            .arg("serve")
            .current_dir(&folder)
            .env_clear()
            .env("HOME", &folder)
            .env(CREDENTIAL_VARIABLE, CREDENTIAL)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("start the gateway")?;
        let mut own = Self { child, folder, base: String::new() };
        own.base = own.greeting()?;
        Ok(own)
    }

    /// Reads the greeting as far as it says where the gateway listens.
    fn greeting(&mut self) -> anyhow::Result<String> {
        let out = self.child.stdout.take().context("the gateway has no output")?;
        let mut out = BufReader::new(out);
        let mut line = String::new();
        while out.read_line(&mut line)? > 0 {
            let said = line.find("http://").map(|at| &line[at..]);
            if let Some(base) = said.and_then(|said| said.split_whitespace().next()) {
                let base = base.to_owned();
                // What else it says is read on, so that it never waits for a reader.
                std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
                return Ok(base);
            }
            line.clear();
        }
        let log = std::fs::read_to_string(self.folder.join("stderr.log")).unwrap_or_default();
        anyhow::bail!("the gateway did not start: {}", log.trim())
    }

    /// Returns how it is asked.
    pub(crate) fn target(&self) -> Target {
        Target {
            name: "pointsman".to_owned(),
            openai: self.base.clone(),
            anthropic: Some(self.base.trim_end_matches("/v1").to_owned()),
            key: "anything".to_owned(),
            names: ["task/{model}".to_owned(), "{provider}/{model}".to_owned()],
            headers: Headers::new(),
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // It may have ended by itself, and a folder left behind is a small one.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
