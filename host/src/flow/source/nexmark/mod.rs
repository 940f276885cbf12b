//! The Nexmark benchmark's streams: people who join an auction house, auctions, and bids.
//!
//! Out go rows that depend on nothing but the seed and their number: whatever the batch size, the
//! number of partitions and where one starts. Row `k` of the source is row `k / partitions` of
//! partition `k % partitions`. A column is only made when it is asked for. It reads no clock:
//! event times start at 2015-07-15T00:00:00Z and advance by 10,000 events a second.
//!
//! Fields, proportions, ids and what is "hot" follow the generators of Apache Beam
//! (`sdks/java/testing/nexmark/src/main/java/org/apache/beam/sdk/nexmark/sources/generator`) and
//! of Nexmark for Flink (<https://github.com/nexmark/nexmark>), with the latter's `channel` and
//! `url`. The values themselves are others, as theirs come from one `java.util.Random`.

mod draw;
mod event;
mod fields;

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::types::{ArrowPrimitiveType, Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, PrimitiveArray, RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;

use super::{Decoded, NexmarkSettings, NexmarkStream, Next, Partition};
use crate::error::{Error, Result};
use crate::types::{DataType, Field, arrow_schema};
use draw::Draw;
use event::{Event, Kind};
use fields::{FIELDS, Make};

/// The columns of a stream.
pub(super) fn columns(stream: NexmarkStream) -> Vec<Field> {
    made(stream).into_iter().map(|(field, ..)| field).collect()
}

/// The columns of a stream, how each is made, and for which events; for the others it is null.
fn made(stream: NexmarkStream) -> Vec<(Field, Option<Kind>, Make)> {
    let data_type = |make| match make {
        Make::Number(_) => DataType::Int64,
        Make::Time(_) => DataType::Timestamp,
        Make::Text(_) => DataType::Text,
    };
    let Some(kind) = only(stream) else {
        let time: Make = Make::Time(|_, event| event.time_us());
        let name: Make = Make::Text(|_, event, out| out.push_str(event.kind().name()));
        let common = [("event", name), ("date_time", time)];
        let common = common.map(|(name, make)| (Field::new(name, data_type(make), false), None, make));
        let of_kinds = FIELDS.iter().filter(|(_, name, _)| *name != "date_time").map(|(kind, name, make)| {
            (Field::new(format!("{}_{name}", kind.name()), data_type(*make), true), Some(*kind), *make)
        });
        return common.into_iter().chain(of_kinds).collect();
    };
    let fields = FIELDS.iter().filter(|(of, ..)| *of == kind);
    fields.map(|(_, name, make)| (Field::new(*name, data_type(*make), false), None, *make)).collect()
}

fn only(stream: NexmarkStream) -> Option<Kind> {
    match stream {
        NexmarkStream::Person => Some(Kind::Person),
        NexmarkStream::Auction => Some(Kind::Auction),
        NexmarkStream::Bid => Some(Kind::Bid),
        NexmarkStream::All => None,
    }
}

/// One partition of the generated rows.
#[derive(Debug)]
pub(super) struct Generator {
    draw: Draw,
    only: Option<Kind>,
    partition: u64,
    partitions: u64,
    /// Rows of this partition.
    rows: u64,
    /// The next of them.
    next: u64,
    columns: Vec<(Field, Option<Kind>, Make)>,
    schema: SchemaRef,
    /// Reused: the events of a batch.
    events: Vec<Event>,
}

impl Generator {
    pub(super) fn new(settings: &NexmarkSettings, partition: usize, columns: &[Field]) -> Result<Self> {
        let all = made(settings.stream);
        let find = |field: &Field| {
            let found = all.iter().find(|(known, ..)| known == field).cloned();
            found.ok_or_else(|| Error::Bug(format!("nexmark has no column `{field}`")))
        };
        let (partition, partitions) = (partition as u64, settings.partitions.max(1) as u64);
        Ok(Self {
            draw: Draw::new(settings.seed),
            only: only(settings.stream),
            partition,
            partitions,
            rows: settings.rows / partitions + u64::from(partition < settings.rows % partitions),
            next: 0,
            columns: columns.iter().map(find).collect::<Result<_>>()?,
            schema: arrow_schema(columns),
            events: Vec::new(),
        })
    }

    fn column(&self, kind: Option<Kind>, make: Make) -> ArrayRef {
        match make {
            Make::Number(make) => self.numbers::<Int64Type>(kind, make),
            Make::Time(make) => self.numbers::<TimestampMicrosecondType>(kind, make),
            Make::Text(make) => {
                let mut out = StringBuilder::with_capacity(self.events.len(), self.events.len() * 16);
                let mut text = String::new();
                for event in &self.events {
                    if kind.is_none_or(|kind| kind == event.kind()) {
                        text.clear();
                        make(&self.draw, *event, &mut text);
                        out.append_value(&text);
                    } else {
                        out.append_null();
                    }
                }
                Arc::new(out.finish())
            }
        }
    }

    fn numbers<P: ArrowPrimitiveType<Native = i64>>(
        &self,
        kind: Option<Kind>,
        make: fn(&Draw, Event) -> i64,
    ) -> ArrayRef {
        let made = self.events.iter().map(|event| make(&self.draw, *event));
        let out: PrimitiveArray<P> = match kind {
            None => PrimitiveArray::from_iter_values(made),
            Some(kind) => {
                let of_kind = self.events.iter().map(|event| event.kind() == kind);
                of_kind.zip(made).map(|(is, value)| is.then_some(value)).collect()
            }
        };
        if P::DATA_TYPE == Int64Type::DATA_TYPE {
            Arc::new(out)
        } else {
            Arc::new(out.reinterpret_cast::<TimestampMicrosecondType>().with_timezone("UTC"))
        }
    }
}

impl Partition for Generator {
    fn next(&mut self, rows: usize) -> Result<Next> {
        let end = self.rows.min(self.next.saturating_add(rows.max(1) as u64));
        if self.next >= end {
            return Ok(Next::End);
        }
        self.events.clear();
        let rows = (self.next..end).map(|row| row * self.partitions + self.partition);
        match self.only {
            None => self.events.extend(rows.map(Event)),
            Some(kind) => self.events.extend(rows.map(|row| Event::of(kind, row))),
        }
        let columns = self.columns.iter().map(|(_, kind, make)| self.column(*kind, *make)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.events.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|e| Error::Bug(format!("generated rows make no batch: {e}")))?;
        let positions = (self.next..end).collect();
        self.next = end;
        Ok(Next::Rows(Decoded { rows, positions, bad: Vec::new() }))
    }

    fn skip_to(&mut self, position: u64) {
        self.next = position;
    }

    fn bytes(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests;
