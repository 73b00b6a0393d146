"""Build hook of the site: pages that read well in the repository become pages of the site.

README is the first page. Files outside of docs/ that pages link to (`../PATH`) are copied into the site.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel

_ROOT = Path(__file__).parents[2]


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add README and the files that pages link to; a link to a missing file is left for mkdocs to report."""

    def copied(link: re.Match[str]) -> str:
        path, source = link[1], _ROOT / link[1]
        if not source.is_file():
            return link[0]
        if files.get_file_from_path(path) is None:
            inclusion = InclusionLevel.NOT_IN_NAV
            files.append(File.generated(config, path, abs_src_path=str(source), inclusion=inclusion))
        return f"]({path}"

    readme = (_ROOT / "README.md").read_text(encoding="utf-8")
    readme = re.sub(r"\]\((?![a-z]+:|#|docs/)", "](../", readme).replace("](docs/", "](")
    files.append(File.generated(config, "index.md", content=readme))
    for page in files.documentation_pages():
        text = re.sub(r"\]\(\.\./([^)#]+)", copied, page.content_string)
        # Commands without a prompt would be shown as output.
        text = re.sub(r"(?m)^```console(?=\n[^$])", "```sh", text)
        # Python-Markdown shows the backslash of `\|` in code, and needs none.
        page.content_string = re.sub(r"(?m)^\|.*", lambda row: row[0].replace(r"\|", "|"), text)
