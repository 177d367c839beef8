"""What the pages are made of: colours, figures, sentences, cards, cached loaders.

The only room of the lab that knows Streamlit and Plotly. `palette`, `template`, `charts` and `sentences` know
nothing of Streamlit, so that a figure and its words can be tested without a server.
"""
