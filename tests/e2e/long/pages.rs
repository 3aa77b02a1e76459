//! Airflow's pages in a browser: what each user of the lab sees there, and what it may.

use super::browser::Browser;
use crate::airflow::{Forwarded, users};
use crate::lab::Lab;

/// The link beside this title, as soon as the page has found a run.
const LATEST_RUN: &str = "//*[text()='Latest Run']/following::a[1][contains(@href, '/runs/')]";

/// Each user logs in, reads a green run and its log, and triggers one where its role allows that.
pub fn each_user_sees_what_it_may(lab: &Lab) {
    lab.run(&["dags", "run", "hello", "--wait", "--ci"]).expect_code(0);
    let airflow = Forwarded::of(lab);
    // The menu shows what a role may.
    let menus = ["Home Dags Assets Browse Admin Security", "Home Dags Assets Browse Admin", "Home Dags Assets Browse"];
    for ((user, password), menu) in users(lab).iter().zip(menus) {
        let visitor = Visitor { browser: Browser::start(), airflow: airflow.address(), user };
        visitor.logs_in(password);
        visitor.is_known(menu);
        visitor.reads_a_green_run();
        if user == "view" {
            visitor.cannot_trigger();
        } else {
            visitor.triggers();
        }
    }
}

struct Visitor<'a> {
    browser: Browser,
    airflow: &'a str,
    user: &'a str,
}

impl Visitor<'_> {
    fn screenshot(&self, name: &str) {
        self.browser.screenshot(&format!("{}-{name}", self.user));
    }

    /// With a wrong password first.
    fn logs_in(&self, password: &str) {
        self.browser.open(self.airflow);
        self.submits("wrong");
        self.browser.expect("Invalid login. Please try again.");
        self.screenshot("1-wrong-password");
        self.submits(password);
    }

    fn submits(&self, password: &str) {
        self.browser.write("//input[@name='username']", self.user);
        self.browser.write("//input[@name='password']", password);
        self.browser.click("//input[@type='submit']");
    }

    fn is_known(&self, menu: &str) {
        self.browser.expect("Pool Slots");
        self.browser.click("//button[@aria-label='Browse']");
        let page = self.browser.text("//body");
        let shown: Vec<&str> = page.lines().take_while(|line| *line != "Docs").collect();
        assert_eq!(shown.join(" "), menu, "{}", self.user);
        self.browser.open(self.airflow);
        self.browser.click("//button[@aria-label='User']");
        let known = self.browser.text("//*[@role='menu'][contains(., 'Signed in as')]");
        assert!(known.starts_with(&format!("Signed in as\n{} (", self.user)), "{known}");
        self.screenshot("2-home");
    }

    /// What the DAG is for, its last run, and what a task has written to the object store.
    fn reads_a_green_run(&self) {
        self.opens_hello();
        self.screenshot("3-dag");
        self.browser.click("//button[@aria-label='Dag Docs']");
        self.browser.expect("Two tasks in Python");
        self.screenshot("4-documentation");
        self.opens_hello();
        self.browser.click(LATEST_RUN);
        self.is_green();
        self.browser.click("//a[contains(@href, '/runs/')][contains(@href, '/tasks/greeting')]");
        self.browser.expect("Returned value was: Hello, lab!");
        self.screenshot("5-log");
    }

    fn opens_hello(&self) {
        self.browser.open(&format!("{}/dags/hello", self.airflow));
        self.browser.text(LATEST_RUN);
        self.browser.expect("Failed Runs");
    }

    /// The first of the states on the page of a run is the run's own.
    fn is_green(&self) {
        self.browser.text("(//*[@data-testid='state-badge'])[1][. = 'Success']");
    }

    fn wants_to_trigger(&self) {
        self.opens_hello();
        self.browser.click("//*[@data-testid='trigger-dag-button']");
        self.browser.click("//*[@data-testid='trigger-dag-submit']");
    }

    fn cannot_trigger(&self) {
        self.wants_to_trigger();
        self.browser.expect("403 Forbidden");
        self.screenshot("6-refused");
    }

    fn triggers(&self) {
        self.wants_to_trigger();
        self.browser.expect("Triggering User");
        self.is_green();
        self.screenshot("6-triggered");
        let by = self.browser.text("//*[text()='Triggering User']/..");
        assert_eq!(by, format!("Triggering User\n{}", self.user));
    }
}
