//! State in Redis, where other programs read it: a hash for each pane, a field for each key.
//!
//! A field is the key's columns as a JSON list, its value the accumulator's columns as a JSON
//! object. What one `put` brings is written in transactions, so that nobody sees half of one. The
//! workers of a step share its hashes, and each touches its own keys alone.

mod json;
mod layout;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use ::redis::{Client, Connection, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisError};
use arrow_array::{Array, ArrayRef, BinaryArray};
use arrow_row::{RowConverter, RowParser};
use serde_json::value::RawValue;

use super::{Entries, Found, Mine, Pane, Part, PerKey, Store};
use crate::error::{Error, Result};
use crate::flow::exchange::key_converter;
use crate::types::Field;

/// How long a server may take to take a connection, and to answer.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(60);

/// Fields of a transaction, about: a server holds all of it until it is complete.
const TRANSACTION: usize = 65_536;

/// Names that are asked for and removed at once.
const NAMES: usize = 1_000;

/// Whether a text says where a server is; if not, why.
pub(super) fn check_url(url: &str) -> Result<(), String> {
    url.into_connection_info().map(|_| ()).map_err(|e| e.to_string())
}

/// A server, and what this pipeline's keys are called there.
pub(super) struct Server {
    client: Client,
    base: String,
    shown: String,
}

impl Server {
    /// Asks whether the server is there, and removes what an earlier run of the pipeline left.
    pub(super) fn connect(url: &str, prefix: &str, pipeline: &str) -> Result<Self> {
        let client = Client::open(url).map_err(|e| error("is nowhere", url, e))?;
        let shown = match client.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, port) => format!("{host}:{port}"),
            other => other.to_string(),
        };
        let server = Self { client, base: layout::base(prefix, pipeline), shown };
        let mut connection = server.connection()?;
        server.clear(&mut connection).map_err(|e| error("can't be removed", &server.shown, e))?;
        Ok(server)
    }

    fn connection(&self) -> Result<Connection> {
        let connect = || {
            let connection = self.client.get_connection_with_timeout(CONNECT)?;
            connection.set_read_timeout(Some(ANSWER))?;
            connection.set_write_timeout(Some(ANSWER))?;
            Ok(connection)
        };
        connect().map_err(|e| error("can't be reached", &self.shown, e))
    }

    fn clear(&self, connection: &mut Connection) -> Result<(), RedisError> {
        let mut cursor = 0u64;
        loop {
            let mut scan = ::redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(layout::pattern(&self.base)).arg("COUNT").arg(NAMES);
            let (next, names): (u64, Vec<Vec<u8>>) = scan.query(connection)?;
            if !names.is_empty() {
                ::redis::cmd("UNLINK").arg(names).exec(connection)?;
            }
            if next == 0 {
                return Ok(());
            }
            cursor = next;
        }
    }

    /// The store of a step on a worker, with a connection of its own.
    pub(super) fn store(&self, part: Part<'_>) -> Result<Redis> {
        let converter = key_converter(part.key);
        Ok(Redis {
            connection: self.connection()?,
            name: layout::step(&self.base, part.step, part.index),
            shown: self.shown.clone(),
            step: part.step.to_owned(),
            key: part.key.to_vec(),
            parser: converter.parser(),
            converter,
            values: part.values.to_vec(),
            per_key: part.per_key,
            mine: (part.workers > 1).then_some(part.mine),
            written: BTreeMap::new(),
            listed: BTreeMap::new(),
        })
    }
}

/// The state of one step on one worker.
pub(super) struct Redis {
    connection: Connection,
    /// What the names of its hashes start with.
    name: String,
    shown: String,
    step: String,
    key: Vec<Field>,
    converter: RowConverter,
    parser: RowParser,
    values: Vec<Field>,
    per_key: PerKey,
    /// Which keys are this worker's, where there are others.
    mine: Option<Mine>,
    /// The panes that have something there.
    written: BTreeMap<Pane, Written>,
    /// The keys of panes that are being paged through.
    listed: BTreeMap<Pane, Vec<Box<[u8]>>>,
}

/// How much of a pane there is.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    keys: u64,
    /// Bytes and entries that were ever sent: how large an entry is.
    bytes: u64,
    entries: u64,
}

/// A row of accumulators as it is read: the fields' values as they are spelled.
type Object<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// How many rows each key has, where that is not one, and the columns of all.
type Accumulators = (Option<Vec<u32>>, Vec<ArrayRef>);

impl Redis {
    fn hash(&self, pane: Pane) -> String {
        layout::hash(&self.name, pane)
    }

    /// The fields of keys.
    fn fields<'a>(&self, keys: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
        if self.key.is_empty() {
            return keys.map(|_| "[]".to_owned()).collect();
        }
        let rows = keys.map(|key| self.parser.parse(key));
        let columns = self.converter.convert_rows(rows).expect("the keys were made by such a converter");
        let list = |row| {
            let mut list = String::new();
            for (column, f) in columns.iter().zip(&self.key) {
                list.push(if list.is_empty() { '[' } else { ',' });
                json::push(&mut list, column, f.data_type, row);
            }
            list + "]"
        };
        (0..columns[0].len()).map(list).collect()
    }

    /// The keys of fields.
    fn keys(&self, fields: &[Vec<u8>]) -> Result<Vec<Box<[u8]>>, String> {
        if self.key.is_empty() {
            return Ok(fields.iter().map(|_| Box::default()).collect());
        }
        let lists = fields.iter().map(|field| match serde_json::from_slice::<Vec<&RawValue>>(field) {
            Ok(list) if list.len() == self.key.len() => Ok(list),
            _ => Err(format!("the field {} is no key", String::from_utf8_lossy(field))),
        });
        let lists = lists.collect::<Result<Vec<_>, _>>()?;
        let columns = self.key.iter().enumerate();
        let columns = columns.map(|(i, f)| json::column(f, lists.iter().map(|list| list[i].get())));
        let rows = self.converter.convert_columns(&columns.collect::<Result<Vec<_>, _>>()?);
        Ok(rows.map_err(|e| e.to_string())?.iter().map(|row| row.data().into()).collect())
    }

    /// The values of keys that have so many of the rows each: objects, or lists of objects.
    fn objects(&self, columns: &[ArrayRef], counts: impl Iterator<Item = usize>) -> Vec<String> {
        let mut taken = 0;
        let value = |count: usize| {
            let rows = taken..taken + count;
            taken = rows.end;
            let objects: Vec<String> = rows.map(|row| self.object(columns, row)).collect();
            match self.per_key {
                PerKey::One => objects.concat(),
                PerKey::Many => format!("[{}]", objects.join(",")),
            }
        };
        counts.map(value).collect()
    }

    /// A row of accumulators.
    fn object(&self, columns: &[ArrayRef], row: usize) -> String {
        let mut object = String::from("{");
        for (column, f) in columns.iter().zip(&self.values) {
            object.push_str(if object.len() == 1 { "" } else { "," });
            json::push_plain(&mut object, &f.name);
            object.push(':');
            json::push(&mut object, column, f.data_type, row);
        }
        object + "}"
    }

    /// How many rows each value has, where that is not one, and the accumulators of all.
    fn columns(&self, values: &[Vec<u8>]) -> Result<Accumulators, String> {
        let wrong = |value: &[u8], what| format!("the value {} is no {what}", String::from_utf8_lossy(value));
        if self.per_key == PerKey::One {
            let objects = values.iter().map(|value| serde_json::from_slice(value).map_err(|_| wrong(value, "object")));
            return Ok((None, self.columns_of(&objects.collect::<Result<Vec<_>, _>>()?)?));
        }
        let (mut counts, mut objects) = (Vec::with_capacity(values.len()), Vec::new());
        for value in values {
            let of: Vec<Object<'_>> = serde_json::from_slice(value).map_err(|_| wrong(value, "list of objects"))?;
            counts.push(of.len() as u32);
            objects.extend(of);
        }
        Ok((Some(counts), self.columns_of(&objects)?))
    }

    fn columns_of(&self, objects: &[Object<'_>]) -> Result<Vec<ArrayRef>, String> {
        let column = |f: &Field| {
            let values = objects.iter().map(|object| object.get(&*f.name).map_or(json::NULL, |value| value.get()));
            json::column(f, values).map_err(|e| format!("of `{}`: {e}", f.name))
        };
        self.values.iter().map(column).collect()
    }

    fn failed(&self, what: &str) -> impl Fn(RedisError) -> Error {
        let (what, shown) = (format!("of step `{}` {what}", self.step), self.shown.clone());
        move |e| error(&what, &shown, e)
    }

    /// An error for what another program made of our state.
    fn foreign(&self, pane: Pane, what: String) -> Error {
        Error::State {
            message: format!("another program has changed `{}` in Redis at {}", self.hash(pane), self.shown),
            hint: Some("let other programs read what is under the prefix, and write elsewhere".into()),
            cause: Some(what.into()),
        }
    }

    /// The keys of a pane that are this worker's, in order.
    fn list(&mut self, pane: Pane) -> Result<Vec<Box<[u8]>>> {
        let mut command = ::redis::cmd("HKEYS");
        command.arg(self.hash(pane));
        let fields: Vec<Vec<u8>> = command.query(&mut self.connection).map_err(self.failed("can't be read"))?;
        let mut keys = self.keys(&fields).map_err(|e| self.foreign(pane, e))?;
        if let Some(mine) = &self.mine {
            keys.retain(|key| mine(key));
        }
        keys.sort_unstable();
        Ok(keys)
    }

    fn values(&mut self, pane: Pane, fields: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        let mut command = ::redis::cmd("HMGET");
        command.arg(self.hash(pane)).arg(fields);
        command.query(&mut self.connection).map_err(self.failed("can't be read"))
    }

    /// Writes entries as one transaction.
    fn send(&mut self, entries: &[Entries]) -> Result<()> {
        let mut transaction = ::redis::pipe();
        transaction.atomic();
        let mut bytes = Vec::new();
        for Entries { pane, keys, counts, values } in entries {
            let count = |place: usize| counts.as_ref().map_or(1, |counts| counts[place] as usize);
            let (kept, gone): (Vec<usize>, Vec<usize>) = (0..keys.len()).partition(|place| count(*place) > 0);
            if !gone.is_empty() {
                let fields = self.fields(gone.iter().map(|place| keys.value(*place)));
                transaction.cmd("HDEL").arg(self.hash(*pane)).arg(fields);
                bytes.push((*pane, 0, None));
            }
            if !kept.is_empty() {
                let fields = self.fields(kept.iter().map(|place| keys.value(*place)));
                let objects = self.objects(values, kept.iter().map(|place| count(*place)));
                transaction.cmd("HSET").arg(self.hash(*pane));
                for (field, object) in fields.iter().zip(&objects) {
                    transaction.arg(field).arg(object);
                }
                let sent = fields.iter().chain(&objects).map(String::len).sum::<usize>();
                bytes.push((*pane, kept.len() as u64, Some(sent as u64)));
            }
        }
        let changed: Vec<u64> = transaction.query(&mut self.connection).map_err(self.failed("can't be written"))?;
        for ((pane, entries, sent), changed) in bytes.into_iter().zip(changed) {
            let written = self.written.entry(pane).or_default();
            written.keys = match sent {
                Some(_) => written.keys + changed,
                None => written.keys.saturating_sub(changed),
            };
            written.bytes += sent.unwrap_or_default();
            written.entries += entries;
        }
        Ok(())
    }
}

impl Store for Redis {
    fn get(&mut self, pane: Pane, keys: &BinaryArray) -> Result<Found> {
        let (mut places, mut objects) = (Vec::new(), Vec::new());
        if self.written.contains_key(&pane) && !keys.is_empty() {
            let fields = self.fields(keys.iter().flatten());
            for (value, place) in self.values(pane, &fields)?.into_iter().zip(0..) {
                places.extend(value.is_some().then_some(place));
                objects.extend(value);
            }
        }
        let (counts, values) = self.columns(&objects).map_err(|e| self.foreign(pane, e))?;
        Ok(Found { places, counts, values })
    }

    fn put(&mut self, entries: &mut dyn Iterator<Item = Entries>) -> Result<()> {
        self.listed.clear();
        let (mut together, mut fields) = (Vec::new(), 0);
        for entries in entries.filter(|entries| !entries.keys.is_empty()) {
            fields += entries.keys.len();
            together.push(entries);
            if fields >= TRANSACTION {
                self.send(&together)?;
                (together, fields) = (Vec::new(), 0);
            }
        }
        if !together.is_empty() {
            self.send(&together)?;
        }
        Ok(())
    }

    fn page(&mut self, pane: Pane, after: Option<&[u8]>, rows: usize) -> Result<Option<Entries>> {
        if !self.written.contains_key(&pane) {
            return Ok(None);
        }
        let listed = match self.listed.remove(&pane) {
            Some(keys) if after.is_some() => keys,
            _ => self.list(pane)?,
        };
        let from = after.map_or(0, |after| listed.partition_point(|key| **key <= *after));
        let page = &listed[from..listed.len().min(from + rows)];
        let (fields, keys) = (self.fields(page.iter().map(|k| &**k)), BinaryArray::from_iter_values(page));
        if from + rows < listed.len() {
            self.listed.insert(pane, listed);
        }
        if fields.is_empty() {
            return Ok(None);
        }
        let objects: Option<Vec<Vec<u8>>> = self.values(pane, &fields)?.into_iter().collect();
        let gone = || "a field is gone while it is read".to_owned();
        let read = objects.ok_or_else(gone).and_then(|objects| self.columns(&objects));
        let (counts, values) = read.map_err(|e| self.foreign(pane, e))?;
        Ok(Some(Entries { pane, keys, counts, values }))
    }

    fn remove(&mut self, panes: &[Pane]) -> Result<()> {
        let panes: Vec<Pane> = panes.iter().copied().filter(|pane| self.written.remove(pane).is_some()).collect();
        self.listed.clear();
        if self.mine.is_some() {
            // The hashes are those of the other workers too.
            for pane in panes {
                let keys = self.list(pane)?;
                for keys in keys.chunks(NAMES) {
                    let mut command = ::redis::cmd("HDEL");
                    command.arg(self.hash(pane)).arg(self.fields(keys.iter().map(|k| &**k)));
                    command.exec(&mut self.connection).map_err(self.failed("can't be removed"))?;
                }
            }
            return Ok(());
        }
        for panes in panes.chunks(NAMES) {
            let names: Vec<String> = panes.iter().map(|pane| self.hash(*pane)).collect();
            let unlinked = ::redis::cmd("UNLINK").arg(names).exec(&mut self.connection);
            unlinked.map_err(self.failed("can't be removed"))?;
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.written.values().map(|w| w.keys * w.bytes / w.entries.max(1)).sum()
    }

    fn panes(&self) -> Vec<Pane> {
        self.written.keys().copied().collect()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may have a password.
        f.debug_struct("Server").field("base", &self.base).field("at", &self.shown).finish_non_exhaustive()
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("step", &self.step).field("at", &self.shown).finish_non_exhaustive()
    }
}

fn error(what: &str, at: &str, cause: RedisError) -> Error {
    // Of a transaction's failure the text alone says which command failed and why.
    let text = cause.to_string();
    let says = |word: &str| text.contains(word);
    let hint = match () {
        () if cause.is_connection_refusal() => Some("is a Redis server running there?"),
        () if cause.is_timeout() => Some("the server is there and does not answer; is it overloaded?"),
        () if says("NOAUTH") || says("WRONGPASS") || cause.kind() == ErrorKind::AuthenticationFailed => {
            Some("write `redis = \"redis://USER:PASSWORD@HOST:PORT/DATABASE\"`")
        }
        () if says("WRONGTYPE") => Some("another program has something else under this name; choose another `prefix`"),
        () if says("OOM") => Some("the server has no memory left; give it more, or keep state on disk"),
        () if cause.is_connection_dropped() => Some("the server has ended the connection; has it been stopped?"),
        () => None,
    };
    Error::State {
        message: format!("the state in Redis at {at} {what}"),
        hint: hint.map(str::to_owned),
        // Its own cause would say the same once more.
        cause: Some(text.into()),
    }
}
