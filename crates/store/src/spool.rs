//! The spool: a file beside the database that keeps settlements while the database cannot.
//!
//! It is only appended to, one line a settlement, each with its checksum, and emptied when all of
//! it is in the database. What was appended is in the operating system's hands, so a killed process
//! loses nothing. A line that cannot be read is set aside in a file of its own, never dropped.
//!
//! The file stays when it is empty: another process may have it open and wait for its lock, and
//! would write into a file that is no longer there.

mod line;

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::rows::Settlement;

/// The longest line that is read as one; what is longer was not written here.
const LONGEST: u64 = 16 << 20;

/// The most bytes that are read at once.
const PART: u64 = 1 << 20;

/// How many bytes of lines that cannot be read wait in memory at most to be set aside.
const MOST_BAD: usize = 16 << 20;

/// The settlements of a database that are not in it yet.
#[derive(Debug)]
pub(crate) struct Spool {
    path: PathBuf,
    /// Open and locked while there is something in it.
    file: Option<File>,
    /// Where what was written ends.
    end: u64,
    /// How much of it is in the database.
    done: u64,
    /// How many settlements are not.
    left: u64,
    oldest_ms: Option<i64>,
    /// Lines that cannot be read and could not be set aside yet.
    bad: Vec<u8>,
}

/// The oldest settlements of a spool.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) settlements: Vec<Settlement>,
    /// What cannot be read as one, with its line ends.
    bad: Vec<u8>,
    lines: u64,
    bytes: u64,
}

impl Spool {
    /// Returns the spool of a database, unopened.
    pub(crate) fn beside(database: &Path) -> Self {
        let path = with_ending(database, ".spool");
        Self { path, file: None, end: 0, done: 0, left: 0, oldest_ms: None, bad: Vec::new() }
    }

    /// Returns how many settlements wait in it.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// Says whether everything that was put in is in the database.
    pub(crate) fn is_empty(&self) -> bool {
        self.end == 0
    }

    /// Returns when the oldest request began that waits in it.
    pub(crate) fn oldest_ms(&self) -> Option<i64> {
        self.oldest_ms
    }

    /// Takes up what an earlier process left behind, when there is something.
    pub(crate) fn find(&mut self) -> io::Result<()> {
        match std::fs::metadata(&self.path) {
            Ok(found) if found.len() > 0 => self.take().map(drop),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Says why it could not be used.
    pub(crate) fn probe(&mut self) -> io::Result<()> {
        self.take()?;
        if self.is_empty() {
            self.file = None;
        }
        Ok(())
    }

    /// Opens the file for this process alone, with what is in it.
    fn take(&mut self) -> io::Result<&File> {
        if self.file.is_none() {
            let file = OpenOptions::new().read(true).append(true).create(true).open(&self.path)?;
            file.try_lock().map_err(|refused| match refused {
                TryLockError::WouldBlock => io::Error::other("another process uses it"),
                TryLockError::Error(error) => error,
            })?;
            self.look_through(&file)?;
            self.file = Some(file);
        }
        self.file.as_ref().ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Counts what is there, and ends a line that was torn when its process died.
    fn look_through(&mut self, file: &File) -> io::Result<()> {
        let mut end = file.metadata()?.len();
        let mut last = [b'\n'];
        if end > 0 {
            file.read_exact_at(&mut last, end - 1)?;
        }
        if last != [b'\n'] {
            (&mut &*file).write_all(b"\n")?;
            end += 1;
        }
        (self.end, self.done, self.left, self.oldest_ms) = (end, 0, 0, None);
        let mut reader = BufReader::with_capacity(1 << 20, file);
        reader.seek(SeekFrom::Start(0))?;
        loop {
            let mut line = Vec::new();
            if (&mut reader).take(LONGEST).read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            self.left += 1;
            if self.oldest_ms.is_none() {
                self.oldest_ms = line::read(&line).map(|settlement| settlement.id.ms());
            }
        }
    }

    /// Adds settlements, all of them or none.
    pub(crate) fn append(&mut self, batch: &[&Settlement]) -> io::Result<()> {
        let mut lines = Vec::new();
        for settlement in batch {
            line::write(settlement, &mut lines);
        }
        if self.take()?.metadata()?.len() != self.end {
            self.look_again()?;
        }
        let end = self.end;
        let mut file = self.take()?;
        if let Err(error) = file.write_all(&lines) {
            // Whatever cannot be taken back is looked through again when it is next opened: a line
            // that came whole is a row that is there already by then, a torn one is set aside.
            if file.set_len(end).is_err() {
                self.file = None;
            }
            return Err(error);
        }
        self.end += lines.len() as u64;
        self.left += batch.len() as u64;
        if let (None, Some(first)) = (self.oldest_ms, batch.first()) {
            self.oldest_ms = Some(first.id.ms());
        }
        Ok(())
    }

    /// Reads the oldest settlements that are not in the database yet.
    pub(crate) fn read(&mut self, most: usize) -> io::Result<Part> {
        let part = self.read_on(most)?;
        if part.bytes > 0 || self.done >= self.end {
            return Ok(part);
        }
        self.look_again()?;
        self.read_on(most)
    }

    /// Looks the file through that somebody else changed. What is left of it may begin anywhere, so
    /// all of it is carried over once more: rows that are there stay as they are.
    fn look_again(&mut self) -> io::Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        tracing::warn!("the ledger's spool was changed by another program");
        self.look_through(&file)?;
        self.file = Some(file);
        Ok(())
    }

    fn read_on(&mut self, most: usize) -> io::Result<Part> {
        let from = self.done;
        let mut reader = BufReader::with_capacity(1 << 16, self.take()?);
        reader.seek(SeekFrom::Start(from))?;
        let mut part = Part::default();
        while part.settlements.len() < most && part.bytes < PART {
            let mut line = Vec::new();
            let bytes = (&mut reader).take(LONGEST).read_until(b'\n', &mut line)?;
            if bytes == 0 {
                break;
            }
            part.bytes += bytes as u64;
            part.lines += 1;
            match line::read(&line) {
                Some(settlement) => part.settlements.push(settlement),
                None => part.bad.extend_from_slice(&line),
            }
        }
        Ok(part)
    }

    /// Forgets a part, once it is in the database; the file is emptied with its last. Lines that
    /// cannot be set aside hold up the end and not the rows behind them.
    pub(crate) fn forget(&mut self, part: Part) -> io::Result<()> {
        self.bad.extend(part.bad);
        self.done += part.bytes;
        self.left = self.left.saturating_sub(part.lines);
        let aside = self.set_aside();
        if self.done < self.end && self.bad.len() < MOST_BAD {
            return Ok(());
        }
        aside?;
        if self.done < self.end {
            return Ok(());
        }
        self.take()?.set_len(0)?;
        (self.file, self.end, self.done, self.left, self.oldest_ms) = (None, 0, 0, 0, None);
        Ok(())
    }

    fn set_aside(&mut self) -> io::Result<()> {
        if self.bad.is_empty() {
            return Ok(());
        }
        let path = with_ending(&self.path, ".bad");
        let mut file = OpenOptions::new().append(true).create(true).open(&path)?;
        let end = file.metadata()?.len();
        if let Err(error) = file.write_all(&self.bad) {
            // They are written once more later, and must not be there twice.
            let _ = file.set_len(end);
            return Err(error);
        }
        tracing::warn!(
            bytes = self.bad.len(),
            file = %path.display(),
            "lines of the ledger's spool cannot be read and are set aside"
        );
        self.bad.clear();
        Ok(())
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}
