//! Functions for the tests of the host: of every shape, and some that misbehave on cue.
//!
//! What a function computes is simple enough to be written down twice, here and in the expected
//! files. Those that misbehave do so on the value that the pipeline gives as a parameter, so that a
//! test can say which row is to fail and that no other may.

pub mod aggregates;
pub mod echo;
pub mod groups;
pub mod hostile;
pub mod plain;
pub mod stateful;
pub mod world;

use aggregates::{Joined, LongestText, Shape, Span, SumThatFailsToFinish, SumThatPanics, SumThatRefuses};
use echo::{echo_boolean, echo_bytes, echo_float32, echo_float64, echo_int32, echo_int64, echo_text, echo_timestamp};
use groups::trail;
use hostile::{eats_on, panics_on, picks_apart, recurses_on, spins_on, stumbles_on};
use plain::{add, double, even, flip, half, halves, picky, repeat, repeat_picky, scale, scale_columns, seven, when};
use stateful::tally;
use world::{leaks, looks_around, remembers, talks};

weir::export!(
    echo_boolean,
    echo_int32,
    echo_int64,
    echo_float32,
    echo_float64,
    echo_timestamp,
    echo_text,
    echo_bytes,
    add,
    double,
    even,
    flip,
    half,
    halves,
    picky,
    repeat,
    repeat_picky,
    scale,
    scale_columns,
    seven,
    when,
    panics_on,
    spins_on,
    eats_on,
    recurses_on,
    picks_apart,
    stumbles_on,
    looks_around,
    talks,
    remembers,
    leaks,
    trail,
    tally,
    Joined,
    LongestText,
    Span,
    Shape,
    SumThatPanics,
    SumThatRefuses,
    SumThatFailsToFinish,
);
