"""Griffe extensions for habits of this package that the reference would render wrongly or not at all."""

import ast
import re
from collections.abc import Iterator
from typing import Any

import griffe


def _one_each(entry: re.Match[str]) -> str:
    return "\n".join(f"    {name}: {entry['text']}" for name in entry["names"].split(", "))


class ExplicitEntries(griffe.Extension):
    """Divides entries for several names (`start, end: samples`), lists fields, formats examples."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Divide the entries of a docstring; an example with prompts is code."""
        if obj.docstring:
            entries = r"^    (?P<names>\w+(?:, \w+)+): (?P<text>.*(?:\n {8}.*)*)"
            text = re.sub(entries, _one_each, obj.docstring.value, flags=re.MULTILINE)
            obj.docstring.value = re.sub(r"^Example:(?=\n +>>>)", "Examples:", text, flags=re.MULTILINE)

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        """List each `name = Field(default=…, description=…)` of a pydantic model as an attribute."""
        fields = ""
        for name, attribute in cls.attributes.items():
            if isinstance(attribute.value, griffe.ExprCall) and str(attribute.value.function) == "Field":
                given = [one for one in attribute.value.arguments if isinstance(one, griffe.ExprKeyword)]
                values = {one.name: str(one.value) for one in given}
                default = f" Default: `{values['default']}`." if "default" in values else ""
                if "description" in values:
                    text = ast.literal_eval(values["description"])
                    fields += f"    {name}: {text.removesuffix('.')}.{default}\n"
        if fields and cls.docstring:
            cls.docstring.value += f"\n\nAttributes:\n{fields}"


class LazyNames(griffe.Extension):
    """The public names of a package are those that its `__init__.pyi` imports, in that order."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Mark the names as public."""
        for package in [pkg, *_packages_in(pkg)]:
            if "lazy_loader" in package.imports:
                package.exports = [
                    name
                    for name, member in package.members.items()
                    if member.is_alias and member.target_path.startswith(f"{package.path}.")
                ]


def _packages_in(package: griffe.Module) -> Iterator[griffe.Module]:
    for module in package.modules.values():
        if module.is_package or module.is_subpackage:
            yield module
            yield from _packages_in(module)
