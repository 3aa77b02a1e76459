//! A browser that does what a person does: headless Chromium, driven over WebDriver.
//!
//! The protocol is a few requests in JSON, so there is no crate for it: those that there are change features of
//! crates that `lab` is made of, and everything would be built twice.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::lab::until;

/// Where the protocol puts the name of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A window with cookies of its own, as long as this is held. Elements are named by XPath.
pub struct Browser {
    driver: Child,
    /// Read no further, but open: the driver may still talk.
    _talk: BufReader<ChildStdout>,
    session: String,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Browser {
    #[expect(clippy::disallowed_methods, reason = "a test starts the driver of its browser")]
    pub fn start() -> Self {
        let mut command = Command::new("chromedriver");
        let mut driver = command
            .arg("--port=0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("chromedriver, which scripts/setup browser brings");
        let mut talk = BufReader::new(driver.stdout.take().expect("its talk"));
        let address = address(&mut talk);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        // The driver is on loopback, where no proxy reaches.
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let mut browser = Self { driver, _talk: talk, session: format!("{address}/session"), client, runtime };
        // It sees pages of the lab alone, and has no sandbox as root nor in most containers, whose /dev/shm is small.
        let args =
            ["--headless", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900", "--accept-lang=en"];
        let options = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": { "args": args } } } });
        let answer = browser.post("", &options).expect("Chromium");
        browser.session = format!("{}/{}", browser.session, answer["sessionId"].as_str().expect("a session"));
        browser
    }

    pub fn open(&self, address: &str) {
        self.post("/url", &json!({ "url": address })).expect(address);
    }

    /// Waits for the element.
    pub fn click(&self, xpath: &str) {
        self.at(xpath, |element| self.post(&format!("{element}/click"), &json!({})));
    }

    /// Waits for the element.
    pub fn write(&self, xpath: &str, text: &str) {
        self.at(xpath, |element| self.post(&format!("{element}/value"), &json!({ "text": text })));
    }

    /// What a person reads there. Waits for the element.
    pub fn text(&self, xpath: &str) -> String {
        self.at(xpath, |element| self.get(&format!("{element}/text"))).as_str().expect("text").to_owned()
    }

    /// Waits until the page has this text.
    pub fn expect(&self, text: &str) {
        self.at(&format!("//body[contains(., '{text}')]"), |_| Ok(Value::Null));
    }

    /// A picture for people to look at.
    pub fn screenshot(&self, name: &str) {
        save(&self.get("/screenshot").expect("a picture"), name);
    }

    /// Does something at an element as soon as it is there and lets it happen: pages are built bit by bit.
    fn at(&self, xpath: &str, act: impl Fn(&str) -> Result<Value, String>) -> Value {
        let query = json!({ "using": "xpath", "value": xpath });
        let mut done = Err(String::new());
        until(xpath, || {
            done = self
                .post("/element", &query)
                .and_then(|found| act(&format!("/element/{}", found[ELEMENT].as_str().expect("an element"))));
            done.is_ok()
        });
        done.expect(xpath)
    }

    fn get(&self, path: &str) -> Result<Value, String> {
        self.value(self.client.get(format!("{}{path}", self.session)))
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.value(self.client.post(format!("{}{path}", self.session)).json(body))
    }

    /// The value that the driver answers with, or its message.
    fn value(&self, request: reqwest::RequestBuilder) -> Result<Value, String> {
        let answer: Value = self
            .runtime
            .block_on(async { request.send().await?.json().await })
            .map_err(|error| format!("chromedriver: {error}"))?;
        let value = &answer["value"];
        if value["error"].is_string() { Err(value["message"].to_string()) } else { Ok(value.clone()) }
    }
}

/// The driver takes a free port and says which.
fn address(talk: &mut BufReader<ChildStdout>) -> String {
    for line in talk.lines() {
        let line = line.expect("text");
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
        }
    }
    panic!("chromedriver does not start");
}

fn save(picture: &Value, name: &str) {
    let picture = BASE64_STANDARD.decode(picture.as_str().expect("text")).expect("Base64");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
    fs_err::create_dir_all(&folder).expect("a folder");
    fs_err::write(folder.join(format!("{name}.png")), picture).expect("a file");
}

impl Drop for Browser {
    fn drop(&mut self) {
        let failed = std::thread::panicking();
        if let (true, Ok(picture)) = (failed, self.get("/screenshot")) {
            save(&picture, "failed");
        }
        let closed = self.value(self.client.delete(&self.session));
        self.driver.kill().expect("it runs");
        self.driver.wait().expect("its end");
        assert!(failed || closed.is_ok(), "{closed:?}");
    }
}
