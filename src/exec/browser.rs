//! The browser of whoever sits in front of this machine.

use super::host::variable;
use super::process::Command;

/// Opens an address where there is a browser to open it with, and otherwise does nothing: the address is printed.
pub fn open(address: &str) {
    let Some(program) = program(variable) else { return };
    if let Err(error) = Command::new(&program).args([address]).start() {
        tracing::debug!("no browser was opened: {error:#}");
    }
}

/// The program that opens pages: the user's choice, then the desktop's. None without a desktop.
fn program(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    if let Some(chosen) = variable("BROWSER") {
        return Some(chosen);
    }
    if cfg!(target_os = "macos") {
        return Some("open".to_owned());
    }
    if variable("WSL_DISTRO_NAME").is_some() {
        return Some("wslview".to_owned());
    }
    ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().find_map(variable).map(|_| "xdg-open".to_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::program;

    fn found(set: &[&str]) -> Option<String> {
        program(|name| set.contains(&name).then(|| format!("my {name}")))
    }

    #[test]
    fn a_browser_needs_somebody_in_front_of_it() {
        assert_eq!(found(&[]), None);
        assert_eq!(found(&["DISPLAY"]).as_deref(), Some("xdg-open"));
        assert_eq!(found(&["WAYLAND_DISPLAY"]).as_deref(), Some("xdg-open"));
        assert_eq!(found(&["WSL_DISTRO_NAME", "DISPLAY"]).as_deref(), Some("wslview"));
    }

    #[test]
    fn the_user_s_choice_comes_first() {
        assert_eq!(found(&["BROWSER", "DISPLAY"]).as_deref(), Some("my BROWSER"));
    }
}
