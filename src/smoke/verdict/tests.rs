use super::*;

/// A run of which everything is right; each test spoils one thing.
struct Run {
    question: Question,
    input: Vec<u8>,
    ranks: String,
    executors: String,
    pods: Vec<Pod>,
}

impl Run {
    fn right() -> Run {
        let question = Question { application: "pagerank-1".into(), seed: 42, pages: 300, iterations: 10, workers: 3 };
        let input = graph::generate(question.seed, question.pages);
        let graph = graph::parse(&input).unwrap();
        let ranks = graph.pages.iter().zip(rank::page_ranks(&graph, question.iterations));
        let work = |number| {
            format!(
                r#"{{"executor": "{number}", "pod": "exec-{number}", "tasks": 10, "records": 1000, "seconds": 0.5}}"#
            )
        };
        let pod = |number| Pod { name: format!("exec-{number}"), node: Some(format!("worker{number}")) };
        Run {
            ranks: ranks.map(|(page, rank)| format!("{page}\t{rank}\n")).collect::<Vec<_>>().concat(),
            executors: [1, 2, 3].map(|number| work(number) + "\n").concat(),
            pods: [1, 2, 3].map(pod).into(),
            question,
            input,
        }
    }

    fn judged(&self) -> Verdict {
        let evidence = Evidence {
            input: &self.input,
            ranks: self.ranks.as_bytes(),
            executors: self.executors.as_bytes(),
            pods: &self.pods,
        };
        judge(&self.question, &evidence, BTreeMap::from([("job".to_owned(), 61.5)]))
    }

    /// What the first executors reported.
    fn first_executors(&self, count: usize) -> String {
        self.executors.split_inclusive('\n').take(count).collect()
    }

    /// The first line of the ranks, its page and its rank.
    fn first_rank(&self) -> (String, String, f64) {
        let line = self.ranks.lines().next().unwrap();
        let (page, rank) = line.split_once('\t').unwrap();
        (line.to_owned(), page.to_owned(), rank.parse().unwrap())
    }
}

/// Judges a run after spoiling it and returns the problems.
fn problems_after(spoil: impl FnOnce(&mut Run)) -> Vec<String> {
    let mut run = Run::right();
    spoil(&mut run);
    let verdict = run.judged();
    assert_eq!(verdict.passed, verdict.problems().is_empty());
    verdict.problems().into_iter().map(str::to_owned).collect()
}

#[test]
fn right_answer_passes() {
    let verdict = Run::right().judged();
    assert!(verdict.passed, "{verdict:?}");
    assert_eq!((verdict.pages, verdict.executors.len()), (300, 3));
    assert!(verdict.largest_difference.unwrap() < 1e-15);
}

#[test]
fn verdict_survives_json() {
    let verdict = Run::right().judged();
    let text = serde_json::to_string(&verdict).unwrap();
    assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict);
}

#[test]
fn two_executors_instead_of_three_fail() {
    let problems = problems_after(|run| {
        run.pods.pop();
        run.executors = run.executors.lines().take(2).map(|line| line.replace("1000", "1500") + "\n").collect();
    });
    assert_eq!(problems.first().unwrap(), "2 executor pods ran, not 3");
}

#[test]
fn one_rank_altered_by_a_millionth_fails() {
    let problems = problems_after(|run| {
        let (line, page, rank) = run.first_rank();
        run.ranks = run.ranks.replace(&line, &format!("{page}\t{}", rank + 1e-6));
    });
    assert!(problems[0].starts_with("1 of 300 ranks are wrong, worst page-000000: "), "{problems:?}");
    assert!(problems[1].starts_with("the ranks sum to 1.00000"), "{problems:?}");
}

#[test]
fn missing_page_fails() {
    let problems = problems_after(|run| run.ranks = run.ranks.replacen(&(run.first_rank().0 + "\n"), "", 1));
    assert_eq!(problems[0], "the result lacks 1 of 300 pages, first page-000000");
}

#[test]
fn unknown_page_fails() {
    let problems = problems_after(|run| run.ranks.push_str("page-zero\t0\n"));
    assert_eq!(problems, ["the result has 1 pages that the input lacks, first page-zero"]);
}

#[test]
fn duplicated_page_fails() {
    let problems = problems_after(|run| run.ranks.push_str(&(run.first_rank().0 + "\n")));
    assert_eq!(problems, ["ranks line 301: page-000000 has a rank already"]);
}

#[test]
fn not_a_number_fails() {
    let problems = problems_after(|run| {
        let (line, page, _) = run.first_rank();
        run.ranks = run.ranks.replace(&line, &format!("{page}\tNaN"));
    });
    assert_eq!(problems, ["ranks line 1: the rank of page-000000 is NaN"]);
}

#[test]
fn cut_off_result_fails() {
    let problems = problems_after(|run| run.ranks.truncate(run.ranks.len() - 1));
    assert_eq!(problems, ["ranks line 300: cut off"]);
}

#[test]
fn no_result_fails() {
    let problems = problems_after(|run| run.ranks.clear());
    assert_eq!(problems[0], "the result lacks 300 of 300 pages, first page-000000");
}

#[test]
fn answer_to_another_seed_fails() {
    let problems = problems_after(|run| run.question.seed += 1);
    assert_eq!(problems, ["the input read back is not what seed 43 makes"]);
}

#[test]
fn cut_off_input_fails() {
    let problems = problems_after(|run| run.input.truncate(run.input.len() - 1));
    assert_eq!(problems[0], "the input read back is not what seed 42 makes");
    assert!(problems[1].ends_with("want source<TAB>target, found \"page-000299\\tpage-000001\""), "{problems:?}");
}

#[test]
fn wrong_iterations_fail() {
    let problems = problems_after(|run| run.question.iterations = 9);
    assert!(problems[0].contains("of 300 ranks are wrong"), "{problems:?}");
}

#[test]
fn executors_on_too_few_nodes_fail() {
    let problems = problems_after(|run| run.pods[2].node = Some("worker1".into()));
    assert_eq!(problems, ["the executors ran on 2 nodes, not on 3: {\"worker1\", \"worker2\"}"]);
}

#[test]
fn executor_that_reported_nothing_fails() {
    let problems = problems_after(|run| run.executors = run.first_executors(2));
    assert_eq!(problems, ["executor exec-3 processed no records", "the executors processed 2000 of 3000 records"]);
}
