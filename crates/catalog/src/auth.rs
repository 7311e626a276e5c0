//! How the gateway authenticates at a provider. Secrets are references here, never values: whoever
//! connects fetches them.

use schemars::JsonSchema;
use serde::Deserialize;

/// How the gateway authenticates at a provider. A secret is a reference: `env:NAME` or
/// `file:/path`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// `Authorization: Bearer …`.
    Bearer(String),
    /// A header of the provider's own.
    Header(Named),
    /// A parameter of the address.
    Query(Named),
    /// A signature of the whole request, as Amazon wants it.
    Sigv4(Signing),
    /// A token that Google gives for a service account: the reference of the account's key, which
    /// is the key's JSON or the path of the file that holds it.
    GoogleServiceAccount(String),
    /// Not at all; write `none: true`.
    None(bool),
}

/// A secret and the name it goes by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The name of the header or the parameter.
    pub name: String,
    /// The secret's reference.
    pub value: String,
}

/// What Amazon's signature version 4 is made with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    /// The region; may hold `${VAR}` or `${VAR:-default}`.
    pub region: String,
    /// The service, such as `bedrock`.
    pub service: String,
    /// The reference of the access key's id.
    pub key_id: String,
    /// The reference of the secret access key.
    pub secret: String,
    /// The reference of the session's token, which goes along where it is set.
    pub session_token: Option<String>,
}

impl Auth {
    /// Returns the references of the secrets it cannot do without.
    pub fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Bearer(secret) | Self::GoogleServiceAccount(secret) => vec![secret],
            Self::Header(named) | Self::Query(named) => vec![&named.value],
            Self::Sigv4(signing) => vec![&signing.key_id, &signing.secret],
            Self::None(_) => Vec::new(),
        }
    }

    /// Returns every reference, also of what goes along only where it is set.
    pub fn references(&self) -> Vec<&str> {
        let mut references = self.secrets();
        if let Self::Sigv4(Signing { session_token: Some(token), .. }) = self {
            references.push(token);
        }
        references
    }
}
