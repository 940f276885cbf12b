//! How a component did in the conformance kit, for people. Pure: results in, text out.

use weir::cases::Way;
use weir::cases::conformance::Tested;

use super::text::{self, Align};

/// Problems that are told of one function.
const TOLD_MAX: usize = 12;

/// A table with a row for each function, and below it what is not right.
pub(super) fn render(tested: &[Tested]) -> String {
    let mut rows = vec![vec!["function".to_owned(), "signature".to_owned()]];
    rows[0].extend(Way::ALL.map(|way| way.name().to_owned()));
    for function in tested {
        let signature = function.problems.iter().any(|p| SIGNATURE.iter().any(|start| p.starts_with(start)));
        let mut row = vec![function.function.clone(), if signature { "WRONG" } else { "ok" }.to_owned()];
        row.extend(function.counts.map(|(passed, all)| match (passed, all) {
            (_, 0) => "-".to_owned(),
            _ => format!("{passed}/{all}"),
        }));
        rows.push(row);
    }
    let mut out =
        text::columns(&[Align::Left, Align::Left, Align::Right, Align::Right, Align::Right, Align::Right], &rows);
    for function in tested.iter().filter(|t| !t.passed()) {
        out.push_str(&format!("\n{}\n", function.function));
        for problem in function.problems.iter().take(TOLD_MAX) {
            out.push_str(&format!("  {problem}\n"));
        }
        if let Some(more) = function.problems.len().checked_sub(TOLD_MAX).filter(|more| *more > 0) {
            out.push_str(&format!("  and {more} lines more\n"));
        }
    }
    out
}

/// How lines begin that are about what the catalog says.
const SIGNATURE: [&str; 4] = ["signature:", "parameters:", "accumulator:", "there is no function"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_fails_is_told_below_the_table() {
        let tested = |function: &str, problems: &[&str]| Tested {
            function: function.to_owned(),
            counts: [(3, 3), (2, 3), (0, 0), (3, 3)],
            problems: problems.iter().map(|p| (*p).to_owned()).collect(),
        };
        let text = render(&[tested("echo", &[]), tested("mean", &["one group, in halves: expected 1, got 2"])]);
        let expected = "\
function  signature  at once  in halves  row by row  fresh
echo      ok             3/3        2/3           -    3/3
mean      ok             3/3        2/3           -    3/3

mean
  one group, in halves: expected 1, got 2
";
        assert_eq!(text, expected);
    }
}
