"""Processor time for the PDF of an invoice, compared with WeasyPrint alone on the same HTML.

    .venv/bin/python benchmarks/documents.py [--lines 10 100 1000] [--repeats 3]

Prints JSON. No database is used: the invoice exists in memory only. `variable_fonts` is WeasyPrint with the
fonts of the web pages, which it has to instantiate for each document.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VARIABLE_FONTS = """
@font-face {
  font-family: Inter; font-weight: 100 900;
  src: url(../fonts/inter-latin-wght-normal.woff2) format("woff2");
}
@font-face {
  font-family: "Inter ext"; font-weight: 100 900;
  src: url(../fonts/inter-latin-ext-wght-normal.woff2) format("woff2");
}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lines", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    json.dump([_measured(lines, options.repeats) for lines in options.lines], sys.stdout, indent=2)


def _measured(lines, repeats):
    from ledger.document import drawing
    from tests.ledger.sample_invoices import content, line

    rows = [line(number, description=f"Work no. {number}") for number in range(1, lines + 1)]
    content = content(rows)
    html = drawing.html(content)
    ways = {
        "ours": lambda: drawing.pdf(content),
        "weasyprint": lambda: _weasyprint(html, _css()),
        "variable_fonts": lambda: _weasyprint(html, _css(VARIABLE_FONTS)),
    }
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(repeats + 1):  # the first time loads libraries
        for way, draw in ways.items():
            started = time.process_time()
            draw()
            best[way] = min(best[way], time.process_time() - started)
    return {
        "lines": lines,
        "seconds": {way: round(seconds, 3) for way, seconds in best.items()},
        "of_weasyprint": round(best["ours"] / best["weasyprint"], 2),
        "of_variable_fonts": round(best["ours"] / best["variable_fonts"], 2),
    }


def _weasyprint(html, css):
    """The same kind of PDF by the shortest program, with nothing kept from one document to the next."""
    import weasyprint
    from weasyprint.text.fonts import FontConfiguration

    fonts, base = FontConfiguration(), (ROOT / "static/documents/invoice.css").as_uri()
    style = weasyprint.CSS(string=css, base_url=base, font_config=fonts)
    document = weasyprint.HTML(string=html, base_url=base)
    return document.write_pdf(stylesheets=[style], font_config=fonts, pdf_variant="pdf/a-3b", pdf_tags=True)


def _css(fonts=None):
    """The style sheet of the invoice, if given with other fonts."""
    css = (ROOT / "static/documents/invoice.css").read_text()
    return fonts + css[css.index("@page") :] if fonts else css


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "invoicing_site.settings")
    import django

    django.setup()
    main()
