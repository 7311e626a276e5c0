//! `init`: a configuration and a routing table to start from. Run twice it changes nothing; where a
//! file differs it shows the difference and asks.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use crate::args::Init;
use crate::out;

const CONFIG: &str = include_str!("init/pointsman.yaml");

/// Writes the files.
pub(crate) fn run(args: &Init) -> anyhow::Result<ExitCode> {
    let folder = &args.folder;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("make the folder {}", folder.display()))?;
    for (name, text) in
        [("pointsman.yaml", CONFIG), ("routing.yaml", router::Table::shipped_text())]
    {
        write(&folder.join(name), text, args.yes)?;
    }
    out::line("\nNext: `pointsman doctor`, then `pointsman serve`.");
    Ok(ExitCode::SUCCESS)
}

fn write(file: &Path, text: &str, yes: bool) -> anyhow::Result<()> {
    let name = file.display();
    let old = match std::fs::read_to_string(file) {
        Ok(old) if old == text => {
            out::line(&format!("{} {name}", out::dim("unchanged")));
            return Ok(());
        }
        Ok(old) => Some(old),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("read {name}")),
    };
    if let Some(old) = &old {
        out::line(&format!("{name} differs from what init would write:\n"));
        difference(old, text).iter().for_each(|line| out::line(line));
        if !yes && !out::confirm(&format!("\nreplace {name}?")) {
            out::line(&format!("{} {name} (run with --yes to replace it)", out::dim("kept")));
            return Ok(());
        }
    }
    std::fs::write(file, text).with_context(|| format!("write {name}"))?;
    out::line(&format!("{} {name}", out::good(if old.is_some() { "replaced" } else { "wrote" })));
    Ok(())
}

/// Returns the lines that differ, by the longest common subsequence; the files are short.
fn difference(old: &str, new: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let mut common = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if j >= new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(out::bad(&format!("- {}", old[i])));
            i += 1;
        } else {
            lines.push(out::good(&format!("+ {}", new[j])));
            j += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn only_what_differs_is_shown() {
        let shown = difference("a\nb\nc\n", "a\nx\nc\nd\n");
        let plain: Vec<String> =
            shown.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect();
        assert_eq!(plain, ["- b", "+ x", "+ d"]);
    }
}
