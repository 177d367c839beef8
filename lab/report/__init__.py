"""The day's report: facts become statements, statements are checked, a version is stored.

In order: `evidence` asks the metrics, `facts` numbers what they say (`signals` adds what looks misconfigured), an
`analyst` (`ollama_analyst` or `rules`) makes a draft of statements that cite facts, `grounding` looks every figure
up, `versions` stores the result and `writing` holds the parts together.
"""

from lab.report.analyst import SECTIONS, Analyst, Draft, Effort, Section, Statement
from lab.report.fact import Fact, Facts
from lab.report.facts import build_facts
from lab.report.grounding import Checks, Dropped, ground
from lab.report.markdown import to_markdown
from lab.report.ollama_analyst import OllamaAnalyst
from lab.report.ollama_status import Installed, Status, ollama_status, pick
from lab.report.rules import RuleAnalyst
from lab.report.versions import Line, Report, Telling
from lab.report.writing import Reports

__all__ = [
    "SECTIONS",
    "Analyst",
    "Checks",
    "Draft",
    "Dropped",
    "Effort",
    "Fact",
    "Facts",
    "Installed",
    "Line",
    "OllamaAnalyst",
    "Report",
    "Reports",
    "RuleAnalyst",
    "Section",
    "Statement",
    "Status",
    "Telling",
    "build_facts",
    "ground",
    "ollama_status",
    "pick",
    "to_markdown",
]
