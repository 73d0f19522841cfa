//! Headless Chromium with one page, driven by its own protocol over two pipes.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::{services, wait};

const PATIENCE: Duration = Duration::from_secs(60);

/// Chromium takes commands on file 3 and answers on file 4, a NUL behind each; it ends when they close.
const PIPES: &str = r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null"#;

const ARGUMENTS: [&str; 8] = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox", // it shows a page of ours alone, perhaps in a container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--hide-scrollbars",
    "--no-first-run",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

impl Scheme {
    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// Ends when dropped.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    last: u64,
    /// With its page.
    session: Option<String>,
    complaints: Vec<String>,
}

impl Browser {
    /// Debian's `chromium`, on a page that is empty.
    pub fn start() -> Browser {
        let log = File::create(services::log_file("chromium")).expect("a log file");
        let profile = services::scratch("chromium");
        let mut child = Command::new("sh")
            .args(["-c", PIPES, "sh", "chromium"])
            .args(ARGUMENTS)
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("sh starts");
        let commands = child.stdin.take().expect("a pipe");
        let messages = read(child.stdout.take().expect("a pipe"));
        let mut browser = Browser {
            child,
            commands,
            messages,
            last: 0,
            session: None,
            complaints: Vec::new(),
        };
        let page = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let page = json!({"targetId": page["targetId"], "flatten": true});
        let session = browser.call("Target.attachToTarget", page);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for part in ["Page", "Runtime", "Log"] {
            browser.call(&format!("{part}.enable"), json!({}));
        }
        browser
    }

    /// Waits until the page and its script are there.
    pub fn go_to(&mut self, url: &str) {
        self.call("Page.navigate", json!({"url": url}));
        wait::until(PATIENCE, url, || {
            self.evaluate("document.readyState") == "complete"
                && self.evaluate("location.href") == url
        });
    }

    /// As on a screen of this width, by a user who likes it so.
    pub fn show_as(&mut self, width: u32, scheme: Scheme) {
        let screen =
            json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", screen);
        let liked = json!({"name": "prefers-color-scheme", "value": scheme.name()});
        self.call("Emulation.setEmulatedMedia", json!({"features": [liked]}));
    }

    /// What an expression in the page is.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true});
        let mut answer = self.call("Runtime.evaluate", asked);
        let thrown = &answer["exceptionDetails"];
        assert!(thrown.is_null(), "{expression}: {thrown}");
        answer["result"]["value"].take()
    }

    /// The text of the first element that a selector finds, as a person reads it; empty where there is none.
    pub fn text(&mut self, selector: &str) -> String {
        let selector = Value::from(selector);
        let text = format!("document.querySelector({selector})?.innerText ?? ''");
        self.evaluate(&text).as_str().unwrap_or_default().to_owned()
    }

    /// Of the whole page, also what lies below the screen.
    pub fn take_picture(&mut self, path: &Path) {
        let [width, height] = ["Width", "Height"].map(|side| {
            let length = format!("document.documentElement.scroll{side}");
            self.evaluate(&length)
        });
        let whole = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
        let whole = json!({"format": "png", "captureBeyondViewport": true, "clip": whole});
        let taken = self.call("Page.captureScreenshot", whole);
        let picture = BASE64.decode(taken["data"].as_str().expect("a picture"));
        fs::write(path, picture.expect("base64")).expect("the picture can be written");
    }

    /// What the page's script threw, and what the browser refused it.
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut command = json!({"id": self.last, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            command["sessionId"] = session.as_str().into();
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        let sent = self.commands.write_all(&bytes);
        sent.expect("chromium listens (is it installed? its log is in target/it-logs)");
        loop {
            let message = self.messages.recv_timeout(PATIENCE);
            let mut message = message.unwrap_or_else(|_| panic!("no answer to {method}"));
            if message["id"] == self.last {
                let error = &message["error"];
                assert!(error.is_null(), "{method}: {error}");
                return message["result"].take();
            }
            self.note(&message);
        }
    }

    fn note(&mut self, event: &Value) {
        let parameters = &event["params"];
        let is_complaint = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Log.entryAdded") => parameters["entry"]["level"] == "error",
            _ => false,
        };
        if is_complaint {
            self.complaints.push(parameters.to_string());
        }
    }
}

/// On a thread of its own, so that a browser that hangs is noticed.
fn read(answers: ChildStdout) -> Receiver<Value> {
    let (sender, messages) = mpsc::channel();
    std::thread::spawn(move || {
        for message in BufReader::new(answers).split(0) {
            let Ok(message) = message else { return };
            let message = serde_json::from_slice(&message).expect("chromium speaks JSON");
            if sender.send(message).is_err() {
                return;
            }
        }
    });
    messages
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
