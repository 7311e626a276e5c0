//! `schema`: JSON Schemas for editors.

use std::process::ExitCode;

use crate::args::{Schema, SchemaOf};
use crate::{config, out};

/// Prints a schema.
pub(crate) fn run(args: &Schema) -> anyhow::Result<ExitCode> {
    out::json(&match args.of {
        SchemaOf::Config => yaml::schema::<config::Raw>(),
        SchemaOf::Routing => yaml::schema::<router::Written>(),
        SchemaOf::Provider => yaml::schema::<catalog::Record>(),
    })?;
    Ok(ExitCode::SUCCESS)
}
