//! `kubectl cni explain`: the text beside the code of a check, or a rule of the facts.

use anyhow::{Result, bail};

use super::facts::facts;
use super::output::print;
use crate::checks;
use crate::cli::ExplainArgs;
use crate::exit::Exit;

pub(super) fn run(args: &ExplainArgs) -> Result<Exit> {
    let all = checks::all();
    let Some(id) = &args.id else {
        let width = all.iter().map(|check| check.id.len()).max().unwrap_or(0);
        print(&all.iter().map(|check| format!("{:width$}  {}\n", check.id, check.title)).collect::<String>());
        return Ok(Exit::Clean);
    };
    let facts = facts(args.facts.as_deref())?;
    if let Some(rule) = cni_facts::explain(&facts, id) {
        print(&format!("{rule}\n"));
        return Ok(Exit::Clean);
    }
    let Some(check) = all.iter().find(|check| check.id == id) else {
        let mut near: Vec<String> = all
            .iter()
            .map(|check| check.id)
            .filter(|known| {
                known.split('-').any(|word| word.len() > 3 && id.split(['-', '_', ' ']).any(|typed| typed == word))
            })
            .take(3)
            .map(str::to_owned)
            .collect();
        near.extend(cni_facts::similar(&facts, id).into_iter().take(3));
        let hint = if near.is_empty() {
            "`kubectl cni explain` lists them".to_owned()
        } else {
            format!("did you mean {}?", near.join(" or "))
        };
        bail!("there is no check or rule {id:?}; {hint}");
    };
    print(&format!(
        "{}\n  {}: {}\n\nWhat it means\n{}\n\nWhat to do\n{}\n",
        check.id,
        check.section,
        check.title,
        wrap(check.means, 96),
        wrap(check.remedy, 96)
    ));
    Ok(Exit::Clean)
}

fn wrap(text: &str, width: usize) -> String {
    let mut lines = vec![String::from(" ")];
    for word in text.split_whitespace() {
        if lines.last().is_some_and(|line| line.chars().count() + 1 + word.chars().count() > width) {
            lines.push(String::from(" "));
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n")
}
