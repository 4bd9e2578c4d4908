"""What is written: text, ids and JSON as orders may hold them, what is wrong with them, words to search by, sentences.

What any of it means is not known here.
"""
