{# A text with its accents composed (Unicode NFC): e with an acute accent is one letter however it was typed. #}
{% macro composed_text(text) -%}
    {{ return(adapter.dispatch('composed_text')(text)) }}
{%- endmacro %}

{% macro duckdb__composed_text(text) -%}
    nfc_normalize({{ text }})
{%- endmacro %}

{# Spark knows no Unicode normal forms: each pair of a letter and a mark in turn, of the alphabets of Europe and of
   Vietnam; other scripts stay as they are. Letters with two marks come last, made from those with one. #}
{% macro spark__composed_text(text) -%}
    {%- set marks = [
        ('\u0300', 'AEIOUaeiou', 'ÀÈÌÒÙàèìòù'),
        ('\u0301', 'AEIOUYaeiouyCcLlNnRrSsZz', 'ÁÉÍÓÚÝáéíóúýĆćĹĺŃńŔŕŚśŹź'),
        ('\u0302', 'AEIOUaeiouCcGgHhJjSsWwYy', 'ÂÊÎÔÛâêîôûĈĉĜĝĤĥĴĵŜŝŴŵŶŷ'),
        ('\u0303', 'ANOanoIiUu', 'ÃÑÕãñõĨĩŨũ'),
        ('\u0308', 'AEIOUaeiouyY', 'ÄËÏÖÜäëïöüÿŸ'),
        ('\u030a', 'AaUu', 'ÅåŮů'),
        ('\u0327', 'CcGgKkLlNnRrSsTt', 'ÇçĢģĶķĻļŅņŖŗŞşŢţ'),
        ('\u0304', 'AaEeIiOoUu', 'ĀāĒēĪīŌōŪū'),
        ('\u0306', 'AaEeGgIiOoUu', 'ĂăĔĕĞğĬĭŎŏŬŭ'),
        ('\u0328', 'AaEeIiUu', 'ĄąĘęĮįŲų'),
        ('\u0307', 'CcEeGgIZz', 'ĊċĖėĠġİŻż'),
        ('\u030c', 'CcDdEeLlNnRrSsTtZz', 'ČčĎďĚěĽľŇňŘřŠšŤťŽž'),
        ('\u030b', 'OoUu', 'ŐőŰű'),
        ('\u031b', 'OoUu', 'ƠơƯư'),
        ('\u0326', 'SsTt', 'ȘșȚț'),
        ('\u0323', 'AaEeIiOoUuYy', 'ẠạẸẹỊịỌọỤụỴỵ'),
        ('\u0309', 'AaEeIiOoUuYy', 'ẢảẺẻỈỉỎỏỦủỶỷ'),
        ('\u0303', 'EeYy', 'ẼẽỸỹ'),
        ('\u0300', 'Yy', 'Ỳỳ'),
        ('\u0301', 'ÂâĂăÊêÔôƠơƯư', 'ẤấẮắẾếỐốỚớỨứ'),
        ('\u0300', 'ÂâĂăÊêÔôƠơƯư', 'ẦầẰằỀềỒồỜờỪừ'),
        ('\u0309', 'ÂâĂăÊêÔôƠơƯư', 'ẨẩẲẳỂểỔổỞởỬử'),
        ('\u0303', 'ÂâĂăÊêÔôƠơƯư', 'ẪẫẴẵỄễỖỗỠỡỮữ'),
        ('\u0302', 'ẠạẸẹỌọ', 'ẬậỆệỘộ'),
        ('\u0306', 'Ạạ', 'Ặặ'),
        ('\u0323', 'ƠơƯư', 'ỢợỰự'),
    ] -%}
    {%- set pairs, letters = [], [] -%}
    {%- for mark, plain, composed in marks -%}
        {%- for letter in plain -%}
            {%- do pairs.append(letter ~ mark) -%}
            {%- do letters.append(composed[loop.index0]) -%}
        {%- endfor -%}
    {%- endfor -%}
    case
        when {{ text }} rlike '[\\u0300-\\u036f]'
            then aggregate(
                sequence(1, {{ letters | length }}),
                {{ text }},
                (composed, pair) -> replace(
                    composed,
                    substring('{{ pairs | join }}', 2 * pair - 1, 2),
                    substring('{{ letters | join }}', pair, 1)
                )
            )
        else {{ text }}
    end
{%- endmacro %}
