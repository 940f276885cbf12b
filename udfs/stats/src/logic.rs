//! `any` and `all`.

/// Whether a condition holds for one row at least; null if no row has a value.
#[derive(Debug, weir::Parameters)]
pub struct Any;

#[weir::aggregate]
impl Any {
    fn create(&self) -> Option<bool> {
        None
    }

    fn accumulate(&self, any: &mut Option<bool>, condition: bool) {
        *any = Some(any.unwrap_or(false) | condition);
    }

    fn merge(&self, any: &mut Option<bool>, other: Option<bool>) {
        if let Some(condition) = other {
            self.accumulate(any, condition);
        }
    }

    fn finish(&self, any: &Option<bool>) -> Option<bool> {
        *any
    }
}

/// Whether a condition holds for every row that has a value; null if no row has one.
#[derive(Debug, weir::Parameters)]
pub struct All;

#[weir::aggregate]
impl All {
    fn create(&self) -> Option<bool> {
        None
    }

    fn accumulate(&self, all: &mut Option<bool>, condition: bool) {
        *all = Some(all.unwrap_or(true) & condition);
    }

    fn merge(&self, all: &mut Option<bool>, other: Option<bool>) {
        if let Some(condition) = other {
            self.accumulate(all, condition);
        }
    }

    fn finish(&self, all: &Option<bool>) -> Option<bool> {
        *all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(rows: &[bool]) -> (Option<bool>, Option<bool>) {
        let (mut any, mut all) = (Any.create(), All.create());
        for &condition in rows {
            Any.accumulate(&mut any, condition);
            All.accumulate(&mut all, condition);
        }
        Any.merge(&mut any, None);
        All.merge(&mut all, Some(true));
        (Any.finish(&any), All.finish(&all))
    }

    #[test]
    fn conditions() {
        assert_eq!(fold(&[]), (None, Some(true)));
        assert_eq!(fold(&[false, true]), (Some(true), Some(false)));
        assert_eq!(fold(&[true, true]), (Some(true), Some(true)));
        assert_eq!(fold(&[false, false]), (Some(false), Some(false)));
    }
}
