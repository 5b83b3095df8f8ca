"""What the notebooks' figures have in common: how they look, and how their answers are written."""
import io

import matplotlib.pyplot as plt
from IPython.display import Image, Markdown, display

# Okabe and Ito's colours, which people with any kind of colour vision can tell apart.
BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#666666")


def style():
    """Sets the look of all figures that follow."""
    plt.rcdefaults()
    plt.rcParams.update({
        "figure.dpi": 100, "figure.constrained_layout.use": True, "font.size": 10,
        "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.titlesize": 10.5,
        "axes.titlelocation": "left", "grid.color": "#dddddd", "grid.linewidth": 0.7, "axes.axisbelow": True,
        "legend.frameon": False, "lines.linewidth": 1.8, "lines.markersize": 5})


def show(figure):
    """Shows a figure and forgets it. Its PNG names no program and no version, so that it changes only if the figure does."""
    png = io.BytesIO()
    figure.savefig(png, format="png", bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    display(Image(data=png.getvalue(), format="png"))


def heading(figure, text):
    """One line above all panels that says what is seen."""
    figure.suptitle(text, x=0.01, ha="left", fontsize=12, fontweight="bold")


def legend_below(figure, handles):
    """One legend for all panels, in one row below them."""
    # constrained_layout of matplotlib 3.6 knows no place outside the panels, so room is made by hand.
    figure.set_constrained_layout_pads(h_pad=0.06)
    figure.get_layout_engine().set(rect=(0, 0.08, 1, 0.92))
    figure.legend(handles=handles, loc="lower center", ncol=len(handles), bbox_to_anchor=(0.5, 0))


ROOM_FOR_LINKS = 36  # points above a panel for what mark_links writes


def mark_links(panel, links):
    """A line at the rate of each link of the x axis, with its name above the panel; dotted if only a data sheet says so."""
    for name, (rate, source) in links.items():
        panel.axvline(rate, color=GREY, linewidth=0.9, linestyle="-" if source == "measured" else ":", zorder=0.5)
        panel.annotate(name, (rate, 1), xycoords=("data", "axes fraction"), textcoords="offset points", xytext=(0, 3), rotation=30,
                       fontsize=8, color=GREY)


def table(header, rows):
    """A table; the first column is left aligned, the others right."""
    lines = ["| " + " | ".join(header) + " |", "| --- |" + " ---: |" * (len(header) - 1)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    display(Markdown("\n".join(lines)))


def answer(*paragraphs):
    """The notebook's answer, from numbers that its cells computed. `notebooks/execute` repeats it at the top."""
    display(Markdown("\n\n".join(paragraphs)))
