use super::*;

#[test]
fn reads_ranks_with_full_precision() {
    let ranks = ranks(b"a\t0.30000000000000004\nb\t5e-05\n").unwrap();
    assert_eq!(ranks, BTreeMap::from([("a".to_owned(), 0.1 + 0.2), ("b".to_owned(), 0.00005)]));
}

#[test]
fn refuses_what_is_no_rank() {
    for (text, problem) in [
        ("a\t0.5\nb\t0.", "ranks line 2: cut off"),
        ("a\t0.5\nb\n", "ranks line 2: want page<TAB>rank, found \"b\""),
        ("a\thalf\n", "ranks line 1: \"half\" is no number"),
        ("a\t0.5\tb\n", "ranks line 1: \"0.5\\tb\" is no number"),
        ("a\tnan\n", "ranks line 1: the rank of a is NaN"),
        ("a\t-inf\n", "ranks line 1: the rank of a is -inf"),
        ("a\t0.5\nb\t0.5\na\t0.5\n", "ranks line 3: a has a rank already"),
    ] {
        assert_eq!(ranks(text.as_bytes()).unwrap_err(), problem);
    }
}

#[test]
fn reads_work() {
    let text = br#"{"executor": "1", "pod": "p-exec-1", "tasks": 10, "records": 700, "seconds": 0.25}"#;
    let found = work(&[text.as_slice(), b"\n"].concat()).unwrap();
    let expected = Work { executor: "1".into(), pod: "p-exec-1".into(), tasks: 10, records: 700, seconds: 0.25 };
    assert_eq!(found, [expected]);
}

#[test]
fn refuses_what_is_no_work() {
    assert!(work(b"{\"executor\": \"1\"}\n").unwrap_err().starts_with("executors line 1: missing field"));
    assert_eq!(work(b"{}").unwrap_err(), "executors line 1: cut off");
    assert!(work(b"\xff\n").unwrap_err().starts_with("executors are not UTF-8"));
}
