//! The generator.
use super::{NexmarkSettings, NexmarkStream, Next, Partition};
use crate::error::Result;
use crate::types::Field;
pub(super) fn columns(_: NexmarkStream) -> Vec<Field> {
    Vec::new()
}
#[derive(Debug)]
pub(super) struct Generator;
impl Generator {
    pub(super) fn new(_: &NexmarkSettings, _: usize, _: &[Field]) -> Result<Self> {
        Ok(Self)
    }
}
impl Partition for Generator {
    fn next(&mut self, _: usize) -> Result<Next> {
        Ok(Next::End)
    }
    fn skip_to(&mut self, _: u64) {}
    fn bytes(&self) -> u64 {
        0
    }
}
