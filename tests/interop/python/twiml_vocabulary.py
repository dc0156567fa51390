#!/usr/bin/env python3
"""Writes every verb, noun and attribute of TwiML that Twilio's library for Python knows, a line each: the elements around it, its name,
its attributes. `tests/vectors/twiml-vocabulary.txt` is what this prints."""

import inspect
import sys
import xml.etree.ElementTree as xml

import twilio
from twilio.twiml import voice_response as library

# SSML is the same wherever something is said.
SSML = "Ssml"
XML = "{http://www.w3.org/XML/1998/namespace}"


def required(method):
    """Something for each parameter that has to be there."""
    parameters = inspect.signature(method).parameters.values()
    return {p.name: "x" for p in parameters if p.name not in ("self", "kwargs")}


def made(method, instance):
    """The element that a method adds, with all the attributes that it knows."""
    child = method(instance, **required(method))
    element = xml.fromstring(child.to_xml(xml_declaration=False))
    return type(child), element.tag, sorted(name.replace(XML, "xml:") for name in element.attrib)


def children(parent):
    for _, method in inspect.getmembers(parent, inspect.isfunction):
        is_own = method.__qualname__.startswith(parent.__name__ + ".") and not method.__name__.startswith("_")
        if is_own:
            yield method


def walk(parent, path, seen):
    for method in children(parent):
        instance = object.__new__(parent)
        library.TwiML.__init__(instance)
        instance.name = path[-1]
        kind, name, attributes = made(method, instance)
        row = "/".join([*path, name])
        is_ssml = kind.__name__.startswith(SSML)
        if row in seen or (is_ssml and path != ["Response", "Say"]):
            continue
        seen[row] = attributes
        if not is_ssml and name not in path:
            walk(kind, [*path, name], seen)


def main():
    seen = {}
    walk(library.VoiceResponse, ["Response"], seen)
    print(f"# twilio {twilio.__version__} for Python")
    for row in sorted(seen):
        print(" ".join([row, *seen[row]]))


sys.exit(main())
