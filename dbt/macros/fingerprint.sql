{# What a group of rows says, whatever their order: their number and the sum of their 64-bit hashes, as text. Each
   hash is hashed again: that of several columns ends in an exclusive or, under which two rows that swap their last
   value could add up alike.
   Compared only between runs of one engine and one version of the project: another one builds everything anew. #}
{% macro fingerprint(columns) -%}
    concat(cast(count(*) as string), ':', cast(sum(cast({{ hash64([hash64(columns)]) }} as decimal(38, 0))) as string))
{%- endmacro %}
