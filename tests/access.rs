//! Who may do what, without a cluster: the table by hand against what the rendered roles grant together with upstream's.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that does not work")]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use lab::access::{Access, Answer, Cell, Grant, Place, Subject, expected, upstream};
use lab::components::people::group;
use lab::components::{AIRFLOW_NAMESPACE, JOBS_NAMESPACE, OPERATOR_NAMESPACE, STORE_NAMESPACE, SYSTEM_NAMESPACE, Site};
use lab::config::{self, Overrides, Role};
use lab::images::Catalogue;
use lab::plan;
use lab::step::Action;
use serde_json::Value;

/// The full lab, with a namespace more for people.
static OBJECTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let overrides = Overrides {
        variables: vec![
            ("LAB_PEOPLE_NAMESPACES".to_owned(), "[team-a]".to_owned()),
            ("LAB_AIRFLOW_EXECUTOR".to_owned(), "kubernetes".to_owned()),
        ],
        ..Overrides::default()
    };
    let lab = config::load(config::FULL, "full.yaml", &overrides).unwrap();
    let plan = plan::up(&Site { lab: &lab, catalogue: &Catalogue::load().unwrap() }).unwrap();
    let rendered = plan.steps.into_iter().filter_map(|step| match step.action {
        Action::Apply { objects, .. } => Some(objects),
        _ => None,
    });
    rendered.flatten().chain(upstream().unwrap()).collect()
});

static ACCESS: LazyLock<Access> = LazyLock::new(|| Access::of(&OBJECTS));

/// As the API server sees somebody of a role.
fn person(role: Role) -> Vec<Subject> {
    vec![Subject::Group(group(role)), Subject::Group("system:authenticated".to_owned())]
}

fn namespaces(place: Place) -> Vec<Option<&'static str>> {
    match place {
        Place::People => vec![Some(JOBS_NAMESPACE), Some("team-a")],
        Place::Platform => vec![Some(AIRFLOW_NAMESPACE), Some(STORE_NAMESPACE)],
        Place::Foreign => [OPERATOR_NAMESPACE, SYSTEM_NAMESPACE, "kube-system", "default"].map(Some).to_vec(),
        Place::Cluster => vec![None],
    }
}

/// Where roles and table differ.
fn differences(access: &Access, cells: &[Cell]) -> Vec<String> {
    let mut found = Vec::new();
    for cell in cells {
        for namespace in namespaces(cell.place) {
            let granted = access.allows(&person(cell.role), &cell.grant, namespace);
            if granted != cell.answer.by_roles() {
                let (role, place) = (cell.role.name(), namespace.unwrap_or("the cluster"));
                let verb = if granted { "may" } else { "may not" };
                found.push(format!("line {}: {role} {verb} {} in {place}", cell.line, cell.grant));
            }
        }
    }
    found
}

#[test]
fn roles_grant_what_the_table_says() {
    let table = expected().unwrap();
    assert!(table.cells.len() >= 190, "only {} cells", table.cells.len());
    let found = differences(&ACCESS, &table.cells);
    assert!(found.is_empty(), "{} of {}:\n{}", found.len(), table.cells.len(), found.join("\n"));
}

/// A rule more, a rule less, a binding less: each is seen.
#[test]
fn every_binding_of_people_counts() {
    let table = expected().unwrap();
    let bindings: Vec<usize> = (0..OBJECTS.len())
        .filter(|index| {
            let object = &OBJECTS[*index];
            let named = object["metadata"]["name"].as_str().unwrap().starts_with("lab-");
            named && object["kind"].as_str().unwrap().ends_with("RoleBinding")
        })
        .collect();
    assert_eq!(bindings.len(), 9);
    for index in bindings {
        let mut objects = OBJECTS.clone();
        let lost = objects.remove(index);
        assert!(!differences(&Access::of(&objects), &table.cells).is_empty(), "nobody misses {lost}");
    }
    for role in ["lab-spark-view", "lab-spark-edit", "lab-people"] {
        let mut objects = OBJECTS.clone();
        objects.retain(|object| object["kind"] != "ClusterRole" || object["metadata"]["name"] != role);
        assert!(!differences(&Access::of(&objects), &table.cells).is_empty(), "nobody misses {role}");
    }
    for (role, resource) in
        [("lab-people", "secrets"), ("lab-spark-view", "secrets"), ("lab-spark-edit", "resourcequotas")]
    {
        let mut objects = OBJECTS.clone();
        let found =
            objects.iter_mut().find(|object| object["kind"] == "ClusterRole" && object["metadata"]["name"] == role);
        let rules = found.unwrap()["rules"].as_array_mut().unwrap();
        rules.push(serde_json::json!({ "apiGroups": [""], "resources": [resource], "verbs": ["get", "create"] }));
        assert!(!differences(&Access::of(&objects), &table.cells).is_empty(), "{role} may have {resource}");
    }
}

fn told(grants: impl IntoIterator<Item = Grant>) -> BTreeSet<String> {
    grants.into_iter().map(|grant| grant.to_string()).collect()
}

/// What the upper role may that the lower may not.
fn added(upper: &str, lower: &str) -> BTreeSet<String> {
    let lower = ACCESS.role(lower);
    told(ACCESS.role(upper).into_iter().filter(|grant| !lower.iter().any(|held| held.covers(grant))))
}

#[test]
fn each_role_may_what_the_lower_one_may() {
    for (upper, lower) in [("admin", "edit"), ("edit", "view")] {
        assert!(!ACCESS.role(lower).is_empty());
        assert_eq!(added(lower, upper), BTreeSet::new(), "{upper} lacks what {lower} may");
    }
}

/// As upstream holds its own roles: with those of the lab taken in, nothing else is added.
#[test]
fn admin_adds_the_handling_of_roles_and_nothing_else() {
    let verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
    let rbac = ["roles", "rolebindings"];
    let mut expected: BTreeSet<String> =
        verbs.iter().flat_map(|verb| rbac.map(|kind| format!("{verb} {kind}.rbac.authorization.k8s.io"))).collect();
    expected.insert("create localsubjectaccessreviews.authorization.k8s.io".to_owned());
    assert_eq!(added("admin", "edit"), expected);
}

#[test]
fn edit_adds_secrets_leases_and_ways_into_pods_to_what_may_be_read() {
    let reads = |grant: &String| ["get ", "list ", "watch "].iter().any(|verb| grant.starts_with(verb));
    let resources = [
        "leases.coordination.k8s.io",
        "pods/attach",
        "pods/exec",
        "pods/portforward",
        "pods/proxy",
        "secrets",
        "services/proxy",
    ];
    let expected: BTreeSet<String> = ["get", "list", "watch"]
        .iter()
        .flat_map(|verb| resources.map(|resource| format!("{verb} {resource}")))
        .collect();
    assert_eq!(added("edit", "view").into_iter().filter(reads).collect::<BTreeSet<_>>(), expected);
}

/// Who makes pods in a namespace uses every account there.
#[test]
fn no_account_where_people_work_is_stronger_than_they_are() {
    let mut checked = 0;
    for object in OBJECTS.iter().filter(|object| object["kind"] == "ServiceAccount") {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        let role = match &*namespace {
            JOBS_NAMESPACE | "team-a" => Role::Edit,
            AIRFLOW_NAMESPACE | STORE_NAMESPACE => Role::Admin,
            _ => continue,
        };
        let account = [Subject::ServiceAccount { namespace, name: name.clone() }];
        for place in
            [None, Some(JOBS_NAMESPACE), Some(AIRFLOW_NAMESPACE), Some(STORE_NAMESPACE), Some(OPERATOR_NAMESPACE)]
        {
            let theirs = ACCESS.grants(&person(role), place);
            let more = ACCESS
                .grants(&account, place)
                .into_iter()
                .filter(|grant| !theirs.iter().any(|held| held.covers(grant)));
            assert_eq!(told(more), BTreeSet::new(), "account {name} may more than {} in {place:?}", role.name());
        }
        checked += 1;
    }
    assert_eq!(checked, 8, "accounts");
}

/// Cells that admission decides are of what the guard looks at, and all that it looks at is in the table.
#[test]
fn the_guard_looks_at_what_the_table_marks() {
    let guard = OBJECTS.iter().find(|object| object["kind"] == "ValidatingAdmissionPolicy").unwrap();
    let mut guarded = BTreeSet::new();
    for rule in guard["spec"]["matchConstraints"]["resourceRules"].as_array().unwrap() {
        assert_eq!(rule["operations"], serde_json::json!(["UPDATE", "DELETE"]));
        for resource in rule["resources"].as_array().unwrap() {
            guarded.insert((rule["apiGroups"][0].as_str().unwrap().to_owned(), resource.as_str().unwrap().to_owned()));
        }
    }
    let table = expected().unwrap();
    let of = |grant: &Grant| (grant.group.clone(), grant.resource.clone());
    let changes = |grant: &Grant| ["update", "patch", "delete", "deletecollection"].contains(&&*grant.verb);
    for Cell { grant, answer, line, .. } in &table.cells {
        let here = guarded.contains(&of(grant)) && changes(grant);
        match answer {
            Answer::Guarded => assert!(here, "line {line}: the guard does not look at {grant}"),
            Answer::Allowed => assert!(!here, "line {line}: the guard looks at {grant}"),
            Answer::Refused => {}
        }
    }
    let asked: BTreeSet<_> = table.cells.iter().map(|cell| of(&cell.grant)).collect();
    assert_eq!(guarded.difference(&asked).collect::<Vec<_>>(), Vec::<&(String, String)>::new());
}
