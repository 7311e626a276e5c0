//! What the reference pages say before their tables.

pub(super) const CONFIG: &str = r#"# pointsman.yaml

The file that `--config` or `POINTSMAN_CONFIG` names is read, else `pointsman.yaml` in the current
folder, else none. Without a file every default holds, no folder of records is read, and the ledger
is `pointsman/ledger.db` in `$XDG_DATA_HOME`, or in `~/.local/share` where that is not set.

```yaml
listen: 127.0.0.1:4141
database: ledger.db
routing: routing.yaml
keys:
  - { name: my-app, secret: "env:POINTSMAN_KEY" }
```

- An unknown key is an error. Every problem is reported at once, with file, line and column.
- Texts may hold `${NAME}` and `${NAME:-default}` from the environment; `$$` is a dollar sign.
- A secret is a reference: `env:NAME`, or `file:/path` (relative to where the program runs).
- Once a second `serve` looks whether the file, its table, its records or the files of secrets have
  changed. Then, and on SIGHUP, it reads all of them anew. A problem is logged, and what served before
  goes on serving. `listen`, `database`, `log`, `breaker`, `shutdown`, `limits.connections` and
  `limits.client_silence` are those of the start; a change of one is logged.

For completion in an editor, write the schema and name it in the first line of the file:

```sh
pointsman schema config > pointsman.schema.json
```

```yaml
# yaml-language-server: $schema=./pointsman.schema.json
```
"#;

pub(super) const ROUTING: &str = r#"# routing.yaml

Which model gets which task. `pointsman init` writes the table below to start from, `pointsman
routing check` reports its problems, `pointsman routing explain` says where a request would go.

The task is what the header `x-pointsman-task` says, else `metadata.task` of the body, else what the
model `task/<name>` says. A request that names a model and no task goes to that model and nowhere
else; `auto` and `claude-auto` go to `default_model`.

- A task's models are tried in order. One whose provider is not configured is left out, and one that
  rests is not asked: [resilience.md](resilience.md) says what is tried when, how often and for how
  long.
- An unknown task, and a task none of whose models is configured, go to `default_model`.
- A model is `provider/model`, or its bare id or alias where one configured provider lists it.
- A task's name is made of lower-case letters, digits, `_` and `-`.
- A length of time is written `500ms`, `30s` or `10m`.
- `direct` takes from `defaults` what it does not say.
- Under the table that ships, where `default_model` is not configured, the first listed model of a
  configured provider stands in for it; `serve` says which. A table of your own has no stand-in.

For completion in an editor: `pointsman schema routing > routing.schema.json`, and as the first line
`# yaml-language-server: $schema=./routing.schema.json`.
"#;

pub(super) const RECORD: &str = r#"# Provider records

A provider is a YAML file in the folder `providers` beside `pointsman.yaml`, or in the one that
`catalog` names; every `*.yaml` and `*.yml` there is read. The records that ship are in
[catalog/providers](../catalog/providers) and listed in [providers.md](providers.md).

- A new id adds a provider and needs `base_url`, `auth` and `speaks`.
- A known id overrides the record that ships, key by key; a model of a known id likewise, and
  `quirks` quirk by quirk. `speaks` replaces `speaks` whole.
- `speaks` names the dialects and their paths, the one to translate into first. A request in one of
  them goes out as it came; any other is translated into the first that the model speaks.
- A model can be called when a record lists it, when the price list knows it, or when a host with
  `discover: true` names it; any other name is an error.
- `context` and `output` are shown by `GET /v1/models`. A model whose `context` is surely too small,
  or whose `can` lacks pictures or tools that a request brings, is passed over; where nothing is
  said, nothing is held against it.
- `every_model` prices the models a host with `discover: true` names. A model without a price is
  unpriced, which is not free.
- Quirks are for requests that are translated, but for `stream_usage` and `form`: a client's own
  body goes out as it came.
- `errors_like` names the provider whose errors these are like: see [errors.md](errors.md).

For completion in an editor: `pointsman schema provider > provider.schema.json`, and as the first
line `# yaml-language-server: $schema=./provider.schema.json`.
"#;

pub(super) const RULES: &str = r#"## How a provider's error is read

A status alone lies: a wrong key is 400 at xAI and Google, an empty account is 429 at OpenAI and 400
at Anthropic, a throttle is 503 at Amazon, and a 200 can hold an error. So provider, status and the
words of the error's code, type, reason and message are looked at together. The first row that fits
decides; an error inside a success is decided by its words. `Retry-After` and its kin, Google's
RetryInfo and what the message says of waiting become the answer's `Retry-After`.
"#;

pub(super) const ERRORS: &str = r#"# Errors

A failure is answered in the envelope of the client's own dialect (all four are in
[http.md](http.md)), with more beside what the dialect puts there. In OpenAI's:

```json
{
  "error": {
    "message": "no connection came about: Connection refused (os error 111)",
    "type": "server_error",
    "param": null,
    "code": "provider_unreachable",
    "fault": "provider",
    "help": "Check the provider's base URL and the network with `pointsman doctor`.",
    "attempts": [
      {
        "target": "house/house-large",
        "code": "provider_unreachable",
        "fault": "provider",
        "message": "no connection came about: Connection refused (os error 111)",
        "ms": 0
      }
    ],
    "request_id": "req_01a20ce8d49670de8710e5ddb81a3454"
  }
}
```

`fault` says whose it is: `client` (the request), `policy` (the operator's keys, limits, tables,
credit), `provider`, or `gateway` (Pointsman itself). *Then* says what happens when an attempt ends
so: the plan stops, or its next target is tried. An attempt also has `provider_status` and
`provider_code` where the provider said them. Of several failed attempts the code is
`all_attempts_failed` where they failed in different ways, else theirs; a failure that stops the plan
is told by itself.

A stream that fails once its answer has begun ends with one frame that holds such a body, and
without the dialect's own end.
"#;

pub(super) const PROVIDERS: &str = r#"# Providers

What ships with Pointsman. A provider can be reached when its credential and the variables of its
address are set, a server on your own machine when it answers. Prices are US dollars per million
tokens, as listed at the version named; a model that only the price list knows can be called as
`provider/model` and is not shown here. Your own [record](provider-record.md) wins over every line.
"#;

pub(super) const CLI: &str = r#"# Commands

What `--help` prints. Data goes to stdout, errors and logs to stderr. How the
program ends is told at the end of the first text.
"#;
