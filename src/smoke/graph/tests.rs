use super::*;

fn graph(seed: u64, pages: u32) -> Graph {
    parse(&generate(seed, pages)).unwrap()
}

fn has_source(graph: &Graph, page: &str) -> bool {
    let position = graph.pages.iter().position(|name| name == page).unwrap();
    graph.targets.iter().flatten().any(|target| *target == position)
}

#[test]
fn same_seed_same_bytes() {
    assert_eq!(generate(7, 500), generate(7, 500));
}

#[test]
fn every_seed_makes_another_graph() {
    let inputs: BTreeSet<_> = (0..100).map(|seed| generate(seed, 20)).collect();
    assert_eq!(inputs.len(), 100);
}

#[test]
fn bytes_of_a_seed_stay_the_same_in_every_release() {
    let links = ["0 1", "2 1", "3 0", "3 1", "3 2", "4 0", "4 1"];
    let line = |link: &str| format!("page-00000{}\n", link.replace(' ', "\tpage-00000"));
    assert_eq!(String::from_utf8(generate(1, 5)).unwrap(), links.map(line).concat());
}

#[test]
fn has_exactly_the_pages_asked_for() {
    for pages in [3, 4, 10, 11, 500] {
        for seed in 0..20 {
            assert_eq!(graph(seed, pages).pages.len(), pages as usize, "seed {seed}");
        }
    }
}

#[test]
fn has_dangling_pages_and_one_without_source() {
    for pages in [3, 10, 2000] {
        let graph = graph(3, pages);
        assert!(graph.targets.iter().any(Vec::is_empty), "{pages} pages");
        assert!(!has_source(&graph, &format!("page-{:06}", pages - 1)), "{pages} pages");
    }
}

#[test]
fn degrees_are_skewed() {
    let graph = graph(1, 2000);
    let mut sources = vec![0; 2000];
    graph.targets.iter().flatten().for_each(|target| sources[*target] += 1);
    sources.sort_unstable();
    let popular: usize = sources[1800..].iter().sum();
    assert!(popular * 2 > graph.links(), "a tenth of the pages draws {popular} of {} links", graph.links());
}

#[test]
fn no_page_links_to_itself() {
    let graph = graph(5, 300);
    assert!(graph.targets.iter().enumerate().all(|(page, targets)| !targets.contains(&page)));
}

#[test]
fn reads_names_in_order_and_repeated_links() {
    let graph = parse("b\ta\nb\tsite with ü\nb\ta\n".as_bytes()).unwrap();
    assert_eq!(graph.pages, ["b", "a", "site with ü"]);
    assert_eq!(graph.targets, [vec![1, 2, 1], vec![], vec![]]);
    assert_eq!(graph.links(), 3);
}

#[test]
fn refuses_what_is_no_link() {
    for (text, problem) in [
        ("", "input holds no links"),
        ("a\tb\nc\td", "input line 2: want source<TAB>target, found \"c\\td\""),
        ("a\tb\n\n", "input line 2: want source<TAB>target, found \"\\n\""),
        ("a b\n", "input line 1: want source<TAB>target, found \"a b\\n\""),
        ("a\tb\tc\n", "input line 1: want source<TAB>target, found \"a\\tb\\tc\\n\""),
        ("a\t\n", "input line 1: want source<TAB>target, found \"a\\t\\n\""),
        ("a\tb\r\n", "input line 1: want source<TAB>target, found \"a\\tb\\r\\n\""),
    ] {
        assert_eq!(parse(text.as_bytes()).unwrap_err(), problem);
    }
    assert!(parse(b"a\t\xff\n").unwrap_err().starts_with("input is not UTF-8"));
}
