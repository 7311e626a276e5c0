//! What must be set before a provider can be reached, and the provider once it is.

use crate::Provider;
use crate::auth::Auth;

impl Provider {
    /// Fills the variables of address, paths, headers and region; the error names the first that
    /// is not set.
    pub fn filled(&self, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut filled = self.clone();
        for text in filled.texts() {
            *text = yaml::fill(text, lookup)?;
        }
        filled.base_url = address(&filled.base_url);
        Ok(filled)
    }

    /// Says what must be there before it can be reached: secrets, variables, a server that runs.
    pub fn needs(&self) -> String {
        let mut needed: Vec<String> = self.auth.secrets().into_iter().map(str::to_owned).collect();
        for text in self.clone().texts() {
            for variable in without_default(text) {
                let reference = format!("env:{variable}");
                if !needed.contains(&reference) {
                    needed.push(reference);
                }
            }
        }
        match needed.as_slice() {
            [] if self.discover => format!("a server at {}", self.base_url),
            [] => "an address".to_owned(),
            [one] => one.clone(),
            [most @ .., last] => format!("{} and {last}", most.join(", ")),
        }
    }

    /// Returns every text that may hold variables.
    fn texts(&mut self) -> Vec<&mut String> {
        let mut texts = vec![&mut self.base_url];
        let others = self.credentials.iter_mut().map(|credential| &mut credential.auth);
        for auth in std::iter::once(&mut self.auth).chain(others) {
            if let Auth::Sigv4(signing) = auth {
                texts.push(&mut signing.region);
            }
        }
        texts.extend(self.headers.iter_mut().map(|header| &mut header.value));
        for spoken in &mut self.speaks {
            texts.push(&mut spoken.path);
            texts.extend(&mut spoken.stream_path);
            texts.extend(&mut spoken.count_path);
        }
        texts.extend(self.embeddings.iter_mut().map(|embeddings| &mut embeddings.path));
        texts.extend(&mut self.models_path);
        texts
    }
}

/// Brings an address to its usual form: hosts show theirs with a slash at the end, or without what
/// it begins with, and a path follows either.
fn address(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
    let mut rest = rest.trim_end_matches('/').to_owned();
    while rest.contains("//") {
        rest = rest.replace("//", "/");
    }
    format!("{scheme}://{rest}")
}

/// Returns the names of the variables in a text that have no default.
fn without_default(text: &str) -> impl Iterator<Item = &str> {
    let inside = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
    inside.map(|(inside, _)| inside).filter(|inside| !inside.contains(":-"))
}
