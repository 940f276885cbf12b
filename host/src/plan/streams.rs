//! The ends of a pipeline: sources and sinks as written, checked against the files they name.

use std::path::{Component, Path, PathBuf};

use super::event_time::event_time;
use super::spec::{At, CsvSpec, NexmarkSpec, SinkSpec, SourceSpec, Text};
use super::{Sink, Source, bind::did_you_mean};
use crate::error::{Error, Invalid, Result};
use crate::flow::sink::Output;
use crate::flow::source::{self, CsvFormat, Format, Input, NexmarkSettings, NexmarkStream, Settings};
use crate::types::{DataType, Field};

/// A source of the plan, with all its columns; [`super::prune`] takes out what nobody needs.
pub(super) fn source(text: &Text, spec: &At<SourceSpec>) -> Result<Source> {
    let inner = spec.get_ref();
    let input = input(text, spec)?;
    let format = match &input {
        Input::Nexmark(_) => Format::JsonLines,
        Input::File(path) => format(text, spec, inner.format.as_ref(), inner.csv.as_ref(), Some(path))?,
        Input::Stdin => format(text, spec, inner.format.as_ref(), inner.csv.as_ref(), None)?,
    };
    let schema = inner.schema.as_ref().map(|table| schema(text, table)).transpose()?;
    if matches!(input, Input::Nexmark(_)) {
        let (schema, format, csv) = (inner.schema.as_ref(), inner.format.as_ref(), inner.csv.as_ref());
        let starts = [schema.map(At::span), format.map(At::span), csv.map(At::span)];
        if let Some(span) = starts.into_iter().flatten().next() {
            let invalid = Invalid::new("generated rows have a schema of their own, and are written in no format");
            return Err(invalid.at(text.place(span.start)).into());
        }
    }
    let settings = Settings { input, format, schema };
    let discovered = source::discover(&settings).map_err(|error| placed(text, spec, error))?;
    let event_time = inner.event_time.as_ref().map(|spec| event_time(text, spec, &discovered.columns)).transpose()?;
    let columns = discovered.columns.clone();
    Ok(Source { settings, discovered, columns, event_time })
}

/// Adds the source's place to an error that has none.
fn placed(text: &Text, spec: &At<SourceSpec>, error: Error) -> Error {
    match error {
        Error::Invalid(mut invalid) if invalid.place.is_none() => {
            invalid.place = Some(text.place(spec.span().start));
            Error::Invalid(invalid)
        }
        other => other,
    }
}

/// A place that is chosen by saying `true` of it.
pub(super) fn chosen(text: &Text, name: &str, at: Option<&At<bool>>) -> Result<bool, Invalid> {
    match at {
        Some(at) if !*at.get_ref() => {
            Err(text.wrong(at, format!("`{name} = false` says nothing")).hint("leave it out"))
        }
        at => Ok(at.is_some()),
    }
}

fn input(text: &Text, spec: &At<SourceSpec>) -> Result<Input, Invalid> {
    let inner = spec.get_ref();
    chosen(text, "stdin", inner.stdin.as_ref())?;
    let given = [inner.file.is_some(), inner.stdin.is_some(), inner.nexmark.is_some()];
    if given.iter().filter(|g| **g).count() != 1 {
        let what = if given.contains(&true) { "more than one of" } else { "none of" };
        return Err(text
            .wrong(
                spec,
                format!(
                    "a source says where its rows come from, and this one has {what} `file`, `stdin` and `nexmark`"
                ),
            )
            .hint(
                "write `file = \"flights.csv\"`, `stdin = true` or `nexmark = { stream = \"bid\", rows = 1000000 }`",
            ));
    }
    Ok(match (&inner.file, &inner.nexmark) {
        (Some(file), _) => Input::File(relative(text, file.get_ref())),
        (None, Some(nexmark)) => Input::Nexmark(nexmark_settings(text, nexmark)?),
        (None, None) => Input::Stdin,
    })
}

fn nexmark_settings(text: &Text, spec: &At<NexmarkSpec>) -> Result<NexmarkSettings, Invalid> {
    let inner = spec.get_ref();
    let stream = match inner.stream.get_ref().as_str() {
        "person" => NexmarkStream::Person,
        "auction" => NexmarkStream::Auction,
        "bid" => NexmarkStream::Bid,
        "all" => NexmarkStream::All,
        other => {
            return Err(text
                .wrong(&inner.stream, format!("`{other}` is no stream of Nexmark"))
                .hint("there are: `person`, `auction`, `bid`, `all`"));
        }
    };
    let rows = u64::try_from(*inner.rows.get_ref())
        .map_err(|_| text.wrong(&inner.rows, format!("{} rows can't be generated", inner.rows.get_ref())))?;
    let partitions = match &inner.partitions {
        None => 1,
        Some(n) if (1..=1024).contains(n.get_ref()) => *n.get_ref() as usize,
        Some(n) => return Err(text.wrong(n, format!("{} partitions; there can be 1 to 1024", n.get_ref()))),
    };
    Ok(NexmarkSettings { stream, rows, seed: inner.seed.unwrap_or(0), partitions })
}

fn format<T>(
    text: &Text,
    owner: &At<T>,
    name: Option<&At<String>>,
    csv: Option<&At<CsvSpec>>,
    path: Option<&Path>,
) -> Result<Format, Invalid> {
    let by_name = |path: &Path| match extension(path)?.as_str() {
        "csv" | "tsv" => Some("csv"),
        "jsonl" | "ndjson" | "json" => Some("jsonl"),
        _ => None,
    };
    let chosen = match name {
        Some(name) => name.get_ref().as_str(),
        None => match (path.and_then(by_name), csv) {
            (Some(format), _) => format,
            (None, Some(_)) => "csv",
            (None, None) => {
                return Err(text
                    .wrong(owner, "its name does not say how its records are written")
                    .hint("write `format = \"csv\"` or `format = \"jsonl\"`"));
            }
        },
    };
    match (chosen, csv) {
        ("csv", csv) => Ok(Format::Csv(csv_format(text, csv, path)?)),
        ("jsonl", None) => Ok(Format::JsonLines),
        ("jsonl", Some(csv)) => Err(text.wrong(csv, "the records are JSON Lines, so `csv` says nothing")),
        (other, _) => {
            Err(text.wrong_at(name, owner, format!("`{other}` is no format")).hint("there are: `csv`, `jsonl`"))
        }
    }
}

/// What a file's name says of its records, whatever it is packed with.
fn extension(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name);
    name.rsplit_once('.').map(|(_, extension)| extension.to_string())
}

fn csv_format(text: &Text, spec: Option<&At<CsvSpec>>, path: Option<&Path>) -> Result<CsvFormat, Invalid> {
    let tabs = path.is_some_and(|p| extension(p).as_deref() == Some("tsv"));
    let mut format =
        CsvFormat { delimiter: if tabs { b'\t' } else { b',' }, quote: b'"', header: true, nulls: Vec::new() };
    let Some(spec) = spec.map(At::get_ref) else { return Ok(format) };
    for (given, byte) in [(&spec.delimiter, &mut format.delimiter), (&spec.quote, &mut format.quote)] {
        match given.as_ref().map(|at| (at, at.get_ref().as_bytes())) {
            None => {}
            Some((_, [one])) => *byte = *one,
            Some((at, _)) => return Err(text.wrong(at, format!("`{}` is not one ASCII character", at.get_ref()))),
        }
    }
    format.header = spec.header.unwrap_or(true);
    format.nulls = spec.nulls.clone().unwrap_or_default();
    Ok(format)
}

/// A declared schema: `column = "int64"`, with a `?` where there can be nulls.
fn schema(text: &Text, table: &At<super::spec::SchemaSpec>) -> Result<Vec<Field>, Invalid> {
    let mut columns: Vec<_> = table.get_ref().iter().collect();
    columns.sort_by_key(|(_, at)| at.span().start);
    let field = |(name, at): (&String, &At<String>)| {
        let written = at.get_ref();
        let (base, nullable) = written.strip_suffix('?').map_or((written.as_str(), false), |base| (base, true));
        match DataType::parse(base) {
            Some(data_type) => Ok(Field::new(name, data_type, nullable)),
            None => {
                let all: Vec<_> = DataType::ALL.into_iter().map(DataType::name).collect();
                Err(text.wrong(at, format!("column `{name}`: `{written}` is no type")).hint(did_you_mean(base, &all)))
            }
        }
    };
    columns.into_iter().map(field).collect()
}

/// A sink of the plan.
pub(super) fn sink(text: &Text, spec: &At<SinkSpec>) -> Result<Sink, Invalid> {
    let inner = spec.get_ref();
    chosen(text, "stdout", inner.stdout.as_ref())?;
    chosen(text, "blackhole", inner.blackhole.as_ref())?;
    let given = [inner.file.is_some(), inner.folder.is_some(), inner.stdout.is_some(), inner.blackhole.is_some()];
    if given.iter().filter(|g| **g).count() != 1 {
        let what = if given.contains(&true) { "more than one of" } else { "none of" };
        return Err(text
            .wrong(
                spec,
                format!(
                    "a sink says where its rows go, and this one has {what} `file`, `folder`, `stdout` and `blackhole`"
                ),
            )
            .hint("write `file = \"out.jsonl\"`, `stdout = true` or `blackhole = true`"));
    }
    let (output, format) = match (&inner.file, &inner.folder) {
        (None, Some(folder)) => {
            let format = match (&inner.format, &inner.csv) {
                (None, None) => Format::JsonLines,
                _ => format(text, spec, inner.format.as_ref(), inner.csv.as_ref(), None)?,
            };
            (Output::Folder(relative(text, folder.get_ref())), format)
        }
        (Some(file), _) => {
            let path = relative(text, file.get_ref());
            let format = format(text, spec, inner.format.as_ref(), inner.csv.as_ref(), Some(&path))?;
            (Output::File(path), format)
        }
        (None, None) => {
            let format = match (&inner.format, &inner.csv) {
                (None, None) => Format::JsonLines,
                _ => format(text, spec, inner.format.as_ref(), inner.csv.as_ref(), None)?,
            };
            (if inner.stdout.is_some() { Output::Stdout } else { Output::Blackhole }, format)
        }
    };
    Ok(Sink { output, format })
}

/// Paths in a pipeline file are seen from its folder.
pub(super) fn relative(text: &Text, path: &str) -> PathBuf {
    let joined = text.path.parent().map_or_else(|| PathBuf::from(path), |folder| folder.join(path));
    let mut clean = PathBuf::new();
    for part in joined.components() {
        match (part, clean.components().next_back()) {
            // Shorter to read: `examples/storm/../../udfs` is `udfs`.
            (Component::ParentDir, Some(Component::Normal(_))) => drop(clean.pop()),
            (Component::CurDir, _) => {}
            _ => clean.push(part),
        }
    }
    clean
}
