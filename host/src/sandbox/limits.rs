//! What a component and an instance of it may use: a number for everything that a hostile guest could
//! use up.
//!
//! A [`Limits`] is settings only. How each is written in a pipeline file stands in
//! [`settings`](super::settings), who holds a guest to it in the doc of its field. The most that
//! anybody may be given is a [`Ceiling`].

use std::time::Duration;

use super::settings::{self, Amount};

/// What a component and each instance of it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory, all memories of the instance together. Refused when asked for.
    pub memory_bytes_max: usize,
    /// Time for one call, which is one batch. Counted in ticks of 5 ms, also by a loop that calls nobody.
    pub batch_time_max: Duration,
    /// WebAssembly instructions for each row, about. `None`: not counted. A call gets 100,000 beside those
    /// of its rows. Unlike time this gives the same answer on every machine. Arithmetic that the host does for
    /// the function has as many again.
    pub fuel_per_row: Option<u64>,
    /// Bytes of stack; one of [`STACKS`].
    pub stack_bytes_max: usize,
    /// Elements of all tables of the instance together.
    pub table_elements_max: usize,
    /// Tables inside the instance.
    pub tables_max: usize,
    /// Core instances inside the instance.
    pub instances_max: usize,
    /// Linear memories inside the instance.
    pub memories_max: usize,
    /// Handles of resources that the instance may hold: they stand in the host's memory.
    pub handles_max: usize,
    /// Rows that one call may return.
    pub output_rows_max: usize,
    /// Bytes that one call may return, and that it may pass to the host at once. A guest can name
    /// the same bytes of its memory many times over, so its memory does not bound this.
    pub output_bytes_max: usize,
    /// Bytes of one text or bytes value that is returned.
    pub text_bytes_max: usize,
    /// Bytes of an error message that are kept; the rest is cut off.
    pub message_bytes_max: usize,
    /// Lines of log that are kept for one call; the first lines are dropped.
    pub log_lines_max: usize,
    /// Bytes of log that are kept for one call; the first lines are dropped.
    pub log_bytes_max: usize,
    /// Calls of the host in one call: logs, parameters, clock, random numbers, arithmetic.
    pub host_calls_max: u64,
    /// Bytes of the component.
    pub component_bytes_max: usize,
    /// Functions that a component may offer.
    pub functions_max: usize,
    /// Columns, and parameters, that one function may have.
    pub columns_max: usize,
    /// Bytes of the name of a function, column or parameter.
    pub name_bytes_max: usize,
    /// Bytes of a function's or parameter's doc.
    pub doc_bytes_max: usize,
    /// Core functions inside the component.
    pub core_functions_max: usize,
    /// Bytes of one core function's body: what compiling takes grows faster than a body does.
    pub body_bytes_max: usize,
    /// How deep components may stand in components.
    pub nesting_max: usize,
    /// Time for compiling the component. Held only where a process of its own compiles.
    pub compile_time_max: Duration,
    /// Address space for compiling the component. Held only where a process of its own compiles.
    pub compile_memory_bytes_max: usize,
}

/// The stacks that there are. A worker's thread has 2 MiB, and the host needs some of it.
pub const STACKS: [usize; 5] = [64 << 10, 128 << 10, 256 << 10, 512 << 10, 1 << 20];

/// Fuel of a call beside that of its rows: what an SDK needs to answer at all.
pub(super) const FUEL_PER_CALL: u64 = 100_000;

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes_max: 64 << 20,
            batch_time_max: Duration::from_secs(1),
            fuel_per_row: None,
            stack_bytes_max: 512 << 10,
            table_elements_max: 100_000,
            tables_max: 32,
            instances_max: 64,
            memories_max: 4,
            handles_max: 1_000,
            output_rows_max: 1 << 20,
            output_bytes_max: 64 << 20,
            text_bytes_max: 16 << 20,
            message_bytes_max: 4 << 10,
            log_lines_max: 1_000,
            log_bytes_max: 64 << 10,
            host_calls_max: 1_000_000,
            component_bytes_max: 64 << 20,
            functions_max: 1_000,
            columns_max: 1_000,
            name_bytes_max: 256,
            doc_bytes_max: 64 << 10,
            core_functions_max: 200_000,
            body_bytes_max: 1 << 20,
            nesting_max: 8,
            compile_time_max: Duration::from_secs(60),
            compile_memory_bytes_max: 4 << 30,
        }
    }
}

impl Limits {
    /// Fuel for a call of so many rows.
    pub(super) fn fuel(&self, rows: usize) -> Option<u64> {
        let per_row = self.fuel_per_row?;
        Some(per_row.saturating_mul(rows.max(1) as u64).saturating_add(FUEL_PER_CALL))
    }

    /// The same, and nothing above the ceiling.
    #[must_use]
    pub fn within(mut self, ceiling: &Ceiling) -> Self {
        for setting in settings::ALL {
            let (asked, most) = ((setting.get)(&self), (setting.get)(&ceiling.0));
            if over(asked, most)
                && let Some(most) = most
            {
                (setting.set)(&mut self, most);
            }
        }
        self
    }
}

/// The most that anybody may be given: what a host's operator allows a tenant, whatever the tenant's
/// pipelines say.
///
/// ```
/// use weir::sandbox::{Ceiling, Limits};
///
/// let ceiling = Ceiling::new(Limits { memory_bytes_max: 128 << 20, ..Ceiling::default().limits() });
/// let asked = Limits { memory_bytes_max: 1 << 30, ..Limits::default() };
/// let over = ceiling.check(&asked).unwrap_err();
/// assert_eq!(over.to_string(), "`memory` is 1GiB, and at most 128MiB is allowed");
/// assert_eq!(asked.within(&ceiling).memory_bytes_max, 128 << 20);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceiling(Limits);

impl Ceiling {
    /// A ceiling at these limits. What is above what this engine can do at all is brought down to it.
    pub fn new(limits: Limits) -> Self {
        Self(limits.within(&Self::default()))
    }

    /// Where it is.
    pub fn limits(&self) -> Limits {
        self.0
    }

    /// Whether limits stay below it.
    pub fn check(&self, limits: &Limits) -> Result<(), Over> {
        for setting in settings::ALL {
            let (asked, most) = ((setting.get)(limits), (setting.get)(&self.0));
            if over(asked, most)
                && let Some(most) = most
            {
                return Err(Over { setting: setting.name, asked, most });
            }
        }
        Ok(())
    }
}

impl Default for Ceiling {
    /// What this engine can do at all.
    fn default() -> Self {
        Self(Limits {
            memory_bytes_max: 4 << 30,
            batch_time_max: Duration::from_secs(3600),
            fuel_per_row: None,
            stack_bytes_max: 1 << 20,
            table_elements_max: 100_000,
            tables_max: 32,
            instances_max: 64,
            memories_max: 4,
            handles_max: 1 << 20,
            output_rows_max: i32::MAX as usize,
            output_bytes_max: 4 << 30,
            text_bytes_max: i32::MAX as usize,
            message_bytes_max: 1 << 20,
            log_lines_max: 1 << 20,
            log_bytes_max: 64 << 20,
            host_calls_max: u32::MAX as u64,
            component_bytes_max: 1 << 30,
            functions_max: 100_000,
            columns_max: 100_000,
            name_bytes_max: 64 << 10,
            doc_bytes_max: 16 << 20,
            core_functions_max: 1_000_000,
            body_bytes_max: 7_654_321,
            nesting_max: 100,
            compile_time_max: Duration::from_secs(3600),
            compile_memory_bytes_max: 64 << 30,
        })
    }
}

/// Whether something without a limit, or with a higher one, is above the most.
fn over(asked: Option<Amount>, most: Option<Amount>) -> bool {
    match (asked, most) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(asked), Some(most)) => asked > most,
    }
}

/// A limit that is above a ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` is {}, and at most {most} is allowed", asked.map_or("not limited".to_string(), |a| a.to_string()))]
pub struct Over {
    /// The setting's name in a pipeline file.
    pub setting: &'static str,
    /// What was asked for; `None` is without limit.
    pub asked: Option<Amount>,
    /// What the ceiling allows.
    pub most: Amount,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_below_what_the_engine_can_do() {
        assert_eq!(Ceiling::default().check(&Limits::default()), Ok(()));
    }

    #[test]
    fn each_setting_is_held_to_its_ceiling_and_named() {
        for setting in settings::ALL {
            let default = (setting.get)(&Limits::default());
            let (most, more) = match default {
                Some(Amount::Time(time)) => (Amount::Time(time), Amount::Time(time * 2)),
                Some(Amount::Bytes(n)) => (Amount::Bytes(n), Amount::Bytes(n * 2)),
                Some(Amount::Count(n)) => (Amount::Count(n), Amount::Count(n * 2)),
                None => (Amount::Count(7), Amount::Count(8)),
            };
            let (mut ceiling, mut asked) = (Limits::default(), Limits { fuel_per_row: Some(1), ..Limits::default() });
            (setting.set)(&mut ceiling, most);
            (setting.set)(&mut asked, more);
            let ceiling = Ceiling(ceiling);
            let over = ceiling.check(&asked).expect_err(setting.name);
            assert_eq!((over.setting, over.asked, over.most), (setting.name, Some(more), most));
            assert_eq!(ceiling.check(&asked.within(&ceiling)), Ok(()), "{}", setting.name);
        }
    }

    #[test]
    fn without_a_limit_is_above_every_ceiling() {
        let ceiling = Ceiling(Limits { fuel_per_row: Some(100), ..Limits::default() });
        let over = ceiling.check(&Limits::default()).expect_err("fuel without end");
        assert_eq!(over.to_string(), "`fuel-per-row` is not limited, and at most 100 is allowed");
        assert_eq!(Limits::default().within(&ceiling).fuel_per_row, Some(100));
    }
}
